import type { MachineId } from "../names.ts";
import type { LossThresholds } from "./damping.ts";
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
  readonly admitted: LossHistory["admitted"];
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
  const admitted = new Map<MachineId, number>();
  const spent = [...history.spent];
  // With those that will have their turn later, each behind the one before.
  const planned = [...spent];
  const timesMs: number[] = [];
  const missing = machines
    .filter(({ machine }) => absences.has(machine))
    .map((sighting) => ({ ...sighting, sinceMs: absences.get(sighting.machine)!.sinceMs }))
    .sort((a, b) => a.sinceMs - b.sinceMs || (a.machine < b.machine ? -1 : 1));
  const max = unitsMax(units, thresholds);
  for (const { machine, sinceMs, stakes } of missing) {
    if (outage !== null) {
      states.set(machine, { code: "outage" });
      continue;
    }
    const silentMs = nowMs - sinceMs;
    const graces = [thresholds.graceMs, ...stakes.keys()];
    timesMs.push(...graces.map((graceMs) => sinceMs + graceMs));
    const dueMs = sinceMs + Math.min(...graces);
    if (hold !== null && hold.untilMs >= dueMs) {
      states.set(machine, { code: "hold", because: hold.because, untilMs: hold.untilMs });
      continue;
    }
    const known = history.admitted.get(machine) ?? null;
    if (known === null && nowMs < dueMs) {
      states.set(machine, { code: "grace", untilMs: dueMs });
      continue;
    }
    let overMs = Math.max(known ?? 0, ...graces.filter((graceMs) => graceMs <= silentMs));
    const toMove = unitsBetween(stakes, known, overMs);
    if (toMove > 0) {
      const { atMs, because } = nextTurn(planned, { machine, sinceMs, units: toMove }, max, nowMs, thresholds);
      planned.push({ machine, atMs, units: toMove });
      if (because === null) spent.push({ machine, atMs, units: toMove });
      else {
        timesMs.push(atMs);
        if (known === null) {
          states.set(machine, { code: "budget", because, untilMs: atMs });
          continue;
        }
        overMs = known;
      }
    }
    admitted.set(machine, overMs);
    states.set(machine, { cluster: overMs >= thresholds.graceMs, ownMs: overMs });
  }
  return { states, admitted, spent, timesMs };
}

/** Those whose grace is over and who have not had their turn yet. */
function unitsBetween(stakes: Sighting["stakes"], knownMs: number | null, overMs: number): number {
  const due = [...stakes].filter(([graceMs]) => (knownMs === null || graceMs > knownMs) && graceMs <= overMs);
  return due.reduce((sum, [, units]) => sum + units, 0);
}
