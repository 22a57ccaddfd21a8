import type { MachineId } from "../names.ts";
import { type LossThresholds, leastGraceMs } from "./damping.ts";
import { nextTurn, unitsMax } from "./loss-budget.ts";
import type { Absence, LossHistory } from "./loss-history.ts";
import type { GracesOver, LossHold, LossWait, Outage, SpentLoss } from "./loss-verdict.ts";
import type { Sighting } from "./sighting.ts";

export interface TurnsInput {
  readonly history: LossHistory;
  readonly machines: readonly Sighting[];
  readonly units: number;
  readonly absences: ReadonlyMap<MachineId, Absence>;
  readonly outage: Outage | null;
  readonly hold: LossHold | null;
  readonly nowMs: number;
  readonly thresholds: LossThresholds;
}

export interface Turns {
  /** Of each machine that is missing. */
  readonly states: ReadonlyMap<MachineId, LossWait | GracesOver>;
  readonly admitted: ReadonlySet<MachineId>;
  readonly spent: readonly SpentLoss[];
  /** When a wait or a grace ends. */
  readonly timesMs: readonly number[];
}

/**
 * What each missing machine waits for, or which graces of its units are over. Whoever has been silent for longest comes first, and
 * nobody overtakes: a small machine behind a large one would otherwise keep that one waiting for ever.
 */
export function takeTurns({ history, machines, units, absences, outage, hold, nowMs, thresholds }: TurnsInput): Turns {
  const states = new Map<MachineId, LossWait | GracesOver>();
  const admitted = new Set<MachineId>();
  const spent = [...history.spent];
  // With those that will have their turn later, each behind the one before.
  const planned = [...spent];
  const timesMs: number[] = [];
  const missing = machines
    .filter(({ machine }) => absences.has(machine))
    .map((sighting) => ({ ...sighting, sinceMs: absences.get(sighting.machine)!.sinceMs }))
    .sort((a, b) => a.sinceMs - b.sinceMs || (a.machine < b.machine ? -1 : 1));
  const max = unitsMax(units, thresholds);
  const leastMs = leastGraceMs(thresholds.agentTtlMs);
  for (const { machine, sinceMs, stakes } of missing) {
    if (outage !== null) {
      states.set(machine, { code: "outage" });
      continue;
    }
    const graces = [...stakes.keys()].map((grace) => Math.max(grace ?? thresholds.graceMs, leastMs));
    timesMs.push(...[...graces, thresholds.graceMs].map((graceMs) => sinceMs + graceMs));
    const dueMs = sinceMs + (graces.length === 0 ? thresholds.graceMs : Math.min(...graces));
    if (hold !== null && hold.untilMs >= dueMs) {
      states.set(machine, { code: "hold", because: hold.because, untilMs: hold.untilMs });
      continue;
    }
    if (nowMs < dueMs) {
      states.set(machine, { code: "grace", untilMs: dueMs });
      continue;
    }
    const atStake = [...stakes.values()].reduce((sum, count) => sum + count, 0);
    if (atStake > 0 && !history.admitted.has(machine)) {
      const { atMs, because } = nextTurn(planned, atStake, max, nowMs, thresholds);
      planned.push({ machine, atMs, units: atStake });
      if (because !== null) {
        timesMs.push(atMs);
        states.set(machine, { code: "budget", because, untilMs: atMs });
        continue;
      }
      spent.push({ machine, atMs, units: atStake });
    }
    admitted.add(machine);
    states.set(machine, gracesOver(stakes, nowMs - sinceMs, thresholds.graceMs));
  }
  return { states, admitted, spent, timesMs };
}

/** A group with graces of several units goes by its longest, and its shorter ones are over with it. */
function gracesOver(stakes: Sighting["stakes"], silentMs: number, graceMs: number): GracesOver {
  const cluster = silentMs >= graceMs;
  const own = [...stakes.keys()].filter((grace): grace is number => grace !== null && grace <= silentMs);
  return { cluster, ownMs: Math.max(0, ...own, ...(cluster ? [graceMs] : [])) };
}
