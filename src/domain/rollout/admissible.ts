import type { Machine } from "../cluster/machine.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement, RejectReason } from "../placement/placement.ts";
import type { Replica } from "./rollout-record.ts";
import { stepKeys } from "./rollout-steps.ts";
import { type Occupant, SharedMachines } from "./shared-machines.ts";
import { isSame, type UnitDemands, unitDemands } from "./unit-demands.ts";
import type { VersionSight } from "./version-sight.ts";

export interface AdmissibleInput extends VersionSight {
  /** What gates would have on each machine: of several versions, and not placed together by anybody. */
  readonly mixture: readonly Placement[];
}

export interface Admissible {
  /** Sorted by unit, then machine. */
  readonly placements: readonly Placement[];
  /** What stays as it is, or is not started yet, because of others that are there in another version. Sorted by unit, then machine. */
  readonly keptOut: readonly KeptOut[];
  /** Whether a unit that is, or is wanted, there waits because it, or another of its group, is kept out. */
  readonly isKeptOut: (replica: Replica) => boolean;
}

/** A unit that is to come to this machine, or to become another there. */
export interface KeptOut extends Replica {
  readonly because: RejectReason;
}

/**
 * Of a mixture of versions, what may be. `placeUnits` holds the hard rules (`Conflicts=`, `Replaces=`, `MaxPerMachine=`, hard `Spread=`, room)
 * among the units of one commit only; where gates keep some of them back, what stays and what comes were never placed together. Of two that
 * contradict each other, by the word of the version that each has there, the one that is there stays, and the other waits: it stays where it
 * is, as it is, with its group, and who wanted its place waits in turn. So nothing that runs is stopped by this, and what waits
 * goes on with the gates: with all of them open there is no mixture, and nobody asks.
 */
export function admissible(input: AdmissibleInput): Admissible {
  const { spec, released, base, before, mixture, machines, sha256 } = input;
  const asItIs: Admissible = { placements: mixture, keptOut: [], isKeptOut: () => false };
  if (!bringsAny(mixture, before)) return asItIs;
  const older = [...(base === null || base === "unknown" ? [] : [base]), ...(released === null ? [] : [released])];
  const demands = unitDemands([spec, ...older], machines, sha256);
  if (demands === null) return asItIs;
  const steps = stepsTo(mixture, before, stepKeys([...older, spec]), demands);
  const comes = ({ comers }: Step) => comers.some(({ isThere }) => !isThere);
  // Who is there comes before who is not.
  const contested = steps
    .filter(({ comers }) => comers.length > 0)
    .sort((one, other) => Number(comes(one)) - Number(comes(other)));
  if (contested.length === 0) return asItIs;
  const refused = refusedOf(steps, contested, machines);
  const waiting = new Set([...refused.keys()].flatMap(({ before, after }) => [...before, ...after].map(keyOf)));
  const placements = steps.flatMap((step) => (refused.has(step) ? step.before : step.after));
  return {
    placements: placements.map(({ placement }) => placement).sort(byUnitAndMachine),
    keptOut: [...refused]
      .flatMap(([{ comers }, because]) =>
        comers.map(({ placement: { unit, machine } }): KeptOut => ({ unit, machine, because })),
      )
      .sort(byUnitAndMachine),
    isKeptOut: ({ unit, machine }) => waiting.has(`${unit}/${machine}`),
  };
}

/** Steps that may not be made. Who stays because of that may be in the way of others, so everybody is asked until nobody else is refused. */
function refusedOf(
  steps: readonly Step[],
  contested: readonly Step[],
  machines: readonly Machine[],
): ReadonlyMap<Step, RejectReason> {
  const refused = new Map<Step, RejectReason>();
  for (let known = -1; known < refused.size; ) {
    known = refused.size;
    const shared = new SharedMachines(machines);
    const addAll = (places: readonly Place[]) => {
      for (const { occupant } of places) shared.add(occupant);
    };
    const ask = (step: Step) => {
      const because = firstOf(step.comers, ({ occupant, isThere }) => shared.rejects(occupant, isThere));
      if (because === null) return;
      refused.set(step, because);
      for (const { occupant } of step.after) shared.remove(occupant);
      addAll(step.before);
    };
    for (const step of steps) {
      if (step.comers.length === 0) addAll(step.after);
      if (refused.has(step)) addAll(step.before);
    }
    const left = contested.filter((step) => !refused.has(step));
    for (const step of left) {
      addAll(step.after);
      ask(step);
    }
    // Of a group that came later, a unit that was there may have grown.
    for (const step of left) if (!refused.has(step)) ask(step);
  }
  return refused;
}

/** Whether anything comes to a machine, or becomes another there. */
function bringsAny(mixture: readonly Placement[], before: AdmissibleInput["before"]): boolean {
  return mixture.some(({ unit, machine, hash }) => {
    const there = before.get(unit)?.find((side) => side.machine === machine);
    return there === undefined || there.hash !== hash;
  });
}

/** A group, or a global one on one machine: it comes as a whole, or not. */
interface Step {
  readonly after: readonly Place[];
  /** What stays of it where it may not change. */
  readonly before: readonly Place[];
  /** Of `after`, those that are not there yet, or ask for something else than what is there. */
  readonly comers: readonly (Place & { readonly isThere: boolean })[];
}

interface Place {
  readonly placement: Placement;
  readonly occupant: Occupant;
}

/** Sorted by key. */
function stepsTo(
  mixture: readonly Placement[],
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
  stepOf: (unit: UnitName, machine: MachineId) => string,
  demands: UnitDemands,
): readonly Step[] {
  const placeOf = (placement: Placement): Place => {
    const { unit, machine, hash } = placement;
    return {
      placement,
      occupant: { unit, machine, demand: demands(unit, machine, hash), key: stepOf(unit, machine) },
    };
  };
  const goals = new Map(mixture.map(({ unit, goal }) => [unit, goal]));
  const kept = [...before].flatMap(([unit, sides]) =>
    sides.map(({ machine, hash, goal }) =>
      // `inactive` is said to a machine that a unit leaves: it stays after all.
      placeOf({
        ...{ unit, machine, hash, reason: { code: "stayed" } as const },
        goal: goal === "inactive" ? (goals.get(unit) ?? "launched") : goal,
      }),
    ),
  );
  const there = new Map(kept.map((place) => [keyOf(place), place]));
  const comersOf = (places: readonly Place[]): Step["comers"] =>
    places.flatMap((place) => {
      const was = there.get(keyOf(place));
      if (was !== undefined && isSame(was.occupant.demand, place.occupant.demand)) return [];
      return [{ ...place, isThere: was !== undefined }];
    });
  const after = Map.groupBy(mixture.map(placeOf), ({ occupant }) => occupant.key);
  const staying = Map.groupBy(kept, ({ occupant }) => occupant.key);
  return [...new Set([...after.keys(), ...staying.keys()])].sort(compareText).map((key): Step => {
    const coming = after.get(key) ?? [];
    return { after: coming, before: staying.get(key) ?? [], comers: comersOf(coming) };
  });
}

function firstOf<T, R>(list: readonly T[], ask: (one: T) => R | null): R | null {
  for (const one of list) {
    const answer = ask(one);
    if (answer !== null) return answer;
  }
  return null;
}

function keyOf({ placement: { unit, machine } }: Place): string {
  return `${unit}/${machine}`;
}

function byUnitAndMachine(a: Replica, b: Replica): number {
  return compareText(a.unit, b.unit) || compareText(a.machine, b.machine);
}
