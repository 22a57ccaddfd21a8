import type { MachineId } from "../names.ts";
import type { LossThresholds } from "./damping.ts";
import { countFlaps, flappingNow } from "./flapping.ts";
import { spentWithin, sumOf, unitsMax } from "./loss-budget.ts";
import type { Absence, LossHistory } from "./loss-history.ts";
import type { Flapping, LossHold, LossVerdict, MachineVerdict } from "./loss-verdict.ts";
import { judgeOutage } from "./outage.ts";
import type { Sighting, Sightings } from "./sighting.ts";
import { type Turns, takeTurns } from "./take-turns.ts";

export interface LookAtMachines {
  readonly sightings: Sightings;
  /** Whole milliseconds: then a window that is added and taken away again leaves the same time. */
  readonly nowMs: number;
  /** The last time the registry could not be read, by the judge's clock; null: never since it leads. */
  readonly registryAway: { readonly fromMs: number; readonly untilMs: number } | null;
}

/**
 * Which machines are lost, so that what may move does, and what the others that are missing wait for. From one monotonic clock and
 * from what this judge saw itself, or was left (`recalledHistory`). In this order:
 *
 * 1. Nobody there, or many gone at once: an outage. Nobody is lost in it (`judgeOutage`).
 * 2. After an election, a registry that was away or an outage: a hold of one lease and the grace. Nobody is lost before it ends.
 * 3. Silence of the shortest grace of what is on the machine. Of units with a longer one of their own, `graces` says when.
 * 4. A turn: one machine after the other, as budgets allow (`nextTurn`), who has been silent for longest first. Where nothing would
 *    move, none is needed. A machine that is lost stays lost until it is back, an outage begins or a hold does.
 *
 * That one returns moves nothing back: it is simply there. One that comes and goes gets nothing new for a while (`countFlaps`).
 */
export function judgeLoss(history: LossHistory, look: LookAtMachines, thresholds: LossThresholds): LossVerdict {
  const { nowMs } = look;
  const { machines, units } = look.sightings;
  const absences = absencesNow(history, machines, nowMs);
  const outage = judgeOutage({ known: history.outage, machines, absences, nowMs, thresholds });
  const hasEnded = history.outage !== null && outage === null;
  const lastHold = holdNow(history, look, hasEnded, thresholds);
  const hold = lastHold.untilMs > nowMs ? lastHold : null;

  const turns = takeTurns({
    history,
    machines,
    units,
    absences,
    outage: outage?.outage ?? null,
    hold,
    nowMs,
    thresholds,
  });
  const known = new Set(machines.map(({ machine }) => machine));
  const flaps = countFlaps(history.flaps, returned(history, machines), nowMs, thresholds);
  const open = machines.filter(({ drained }) => !drained).length;
  const flapping = new Map([...flappingNow(flaps, open, nowMs, thresholds)].filter(([machine]) => known.has(machine)));
  const moving = spentWithin(turns.spent, nowMs, thresholds.movesWindowMs);
  const verdicts = machineVerdicts(machines, absences, turns.states, flapping);
  const isExcused = outage !== null || (hold !== null && hold.because !== "elected");
  return {
    mode: outage === null ? "normal" : outage.known.kind === "full" ? "full-outage" : "partial-outage",
    outage: outage?.outage ?? null,
    hold,
    machines: verdicts,
    budget: { spent: moving, unitsSpent: sumOf(moving), unitsMax: unitsMax(units, thresholds) },
    wakeAtMs: earliest(
      [
        lastHold.untilMs,
        ...turns.timesMs,
        ...moving.map(({ atMs }) => atMs + thresholds.movesWindowMs),
        ...[...flapping.values()].map(({ untilMs }) => untilMs),
      ],
      nowMs,
    ),
    history: {
      present: new Set(machines.filter(({ present }) => present).map(({ machine }) => machine)),
      absences: isExcused ? excused(absences) : absences,
      hold: lastHold,
      outage: outage?.known ?? null,
      admitted: turns.admitted,
      spent: spentWithin(turns.spent, nowMs, Math.max(thresholds.movesWindowMs, thresholds.lossWindowMs)),
      flaps,
    },
  };
}

function absencesNow(
  history: LossHistory,
  machines: readonly Sighting[],
  nowMs: number,
): ReadonlyMap<MachineId, Absence> {
  return new Map(
    machines
      .filter(({ present }) => !present)
      .map(({ machine, drained }): [MachineId, Absence] => {
        const known = history.absences.get(machine);
        const seenGoing = history.present?.has(machine) ?? false;
        const absence = known ?? { sinceMs: nowMs, seenGoing, excused: false };
        return [machine, drained && !absence.excused ? { ...absence, excused: true } : absence];
      }),
  );
}

function excused(absences: ReadonlyMap<MachineId, Absence>): ReadonlyMap<MachineId, Absence> {
  return new Map([...absences].map(([machine, absence]) => [machine, { ...absence, excused: true }]));
}

/** Those that were missed and are back, where nothing else than themselves explains it. */
function returned({ absences }: LossHistory, machines: readonly Sighting[]): MachineId[] {
  return machines
    .filter(({ machine, present }) => {
      const absence = absences.get(machine);
      return present && absence?.seenGoing === true && !absence.excused;
    })
    .map(({ machine }) => machine);
}

/** A registry that was away for less than a third of a lease has cost nobody his: by their renewals all have two thirds left. */
const AWAY_DIVISOR = 3;

/** The last reason not to believe one's eyes, also where it is over. */
function holdNow(
  { hold }: LossHistory,
  { registryAway, nowMs }: LookAtMachines,
  outageEnded: boolean,
  { agentTtlMs, graceMs }: LossThresholds,
): LossHold & { readonly fromMs: number } {
  const from = (because: LossHold["because"], fromMs: number) => ({
    because,
    fromMs,
    untilMs: fromMs + agentTtlMs + graceMs,
  });
  if (outageEnded) return from("outage", nowMs);
  if (hold === null) return from("elected", nowMs);
  const isNew = registryAway !== null && registryAway.untilMs > hold.fromMs;
  const isLong = isNew && registryAway.untilMs - registryAway.fromMs >= agentTtlMs / AWAY_DIVISOR;
  return isLong ? from("registry", Math.ceil(registryAway.untilMs)) : from(hold.because, hold.fromMs);
}

function machineVerdicts(
  machines: readonly Sighting[],
  absences: ReadonlyMap<MachineId, Absence>,
  states: Turns["states"],
  flapping: ReadonlyMap<MachineId, Flapping>,
): ReadonlyMap<MachineId, MachineVerdict> {
  const verdicts = new Map<MachineId, MachineVerdict>();
  for (const { machine } of machines) {
    const state = states.get(machine);
    const flaps = flapping.get(machine) ?? null;
    if (state === undefined && flaps === null) continue;
    const waits = state !== undefined && "code" in state ? state : null;
    const graces = state !== undefined && !("code" in state) ? state : null;
    verdicts.set(machine, {
      presence: state === undefined ? "present" : graces === null ? "absent" : "lost",
      absentSinceMs: absences.get(machine)?.sinceMs ?? null,
      waits,
      graces,
      flapping: flaps,
    });
  }
  return verdicts;
}

function earliest(timesMs: readonly number[], nowMs: number): number | null {
  const coming = timesMs.filter((atMs) => atMs > nowMs);
  return coming.length === 0 ? null : Math.min(...coming);
}
