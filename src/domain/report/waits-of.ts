import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import { machineOf } from "../plan/diff-placements.ts";
import type { Unprepared } from "../rollout/next-wave.ts";
import type { HandOff } from "../rollout/next-writes.ts";
import type { ReplicaState, RolloutChange } from "../rollout/plan-rollout.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { WaitingFor, WaveBlocker } from "./engine-report.ts";

/** Enough to recognise what it is about. */
const UNITS_NAMED_MAX = 10;
const BLOCKERS_NAMED_MAX = 5;

export interface WaitsInput {
  readonly spec: ClusterSpec;
  /** `placedNow`. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  readonly isAway: (machine: MachineId) => boolean;
  readonly stateOf: (unit: UnitName, machine: MachineId) => ReplicaState;
  /** Changes that were not made. */
  readonly held: readonly RolloutChange[];
  readonly handingOver: readonly HandOff[];
  /** Of those not made, what waits for a machine to be ready for the release. Absent: nothing. */
  readonly unprepared?: readonly Unprepared[];
}

/**
 * What the changes wait for that are decided and not made: machines that are not ready for them, machines that are to let a unit go, and
 * replicas that are not up, of the same set or of what they start after. Changes that wait for the same are one entry. Sorted by what they wait for.
 */
export function waitsOf(input: WaitsInput): WaitingFor[] {
  const { held, handingOver, unprepared = [] } = input;
  if (held.length === 0) return [];
  const placeOf = (change: RolloutChange) => `${change.unit}/${machineOf(change)}`;
  const awaited = new Map(unprepared.map(({ change, machine }) => [placeOf(change), machine]));
  const leaving = new Map(handingOver.map(({ unit, machine }) => [unit, machine]));
  const entries = new Map<string, { readonly wait: WaitingFor; readonly units: Set<UnitName> }>();
  const add = (wait: WaitingFor, unit: UnitName) => {
    const key = waitKey(wait);
    const known = entries.get(key);
    if (known === undefined) entries.set(key, { wait, units: new Set([unit]) });
    else known.units.add(unit);
  };
  const blockers = new Blockers(input);
  for (const change of held) {
    const { unit, to } = change;
    const [from, machine] = [leaving.get(unit), awaited.get(placeOf(change))];
    if (machine !== undefined) add({ code: "prepare", units: [], more: 0, machine }, unit);
    else if (from !== undefined && to !== null)
      add({ code: "hand-off", units: [], more: 0, from, to: to.machine }, unit);
    else add({ code: "wave", units: [], more: 0, for: blockers.of(unit) }, unit);
  }
  return [...entries]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { wait, units }]) => {
      const sorted = [...units].sort(compareText);
      return { ...wait, units: sorted.slice(0, UNITS_NAMED_MAX), more: Math.max(0, sorted.length - UNITS_NAMED_MAX) };
    });
}

/** The same for as long as it is the same wait, whoever joins it and however far those are that it waits for. */
export function waitKey(wait: WaitingFor): string {
  if (wait.code === "prepare") return `prepare ${wait.machine}`;
  if (wait.code === "kept-out") return `kept-out ${wait.machine}`;
  if (wait.code === "hand-off") return `hand-off ${wait.from} ${wait.to}`;
  return `wave ${wait.for.map(({ unit, machine }) => `${unit}/${machine}`).join(" ")}`;
}

class Blockers {
  readonly #input: WaitsInput;
  readonly #ofSet = new Map<string, readonly WaveBlocker[]>();
  readonly #ofGroup = new Map<string, readonly WaveBlocker[]>();
  readonly #units: ReadonlyMap<UnitName, ClusterSpec["units"][number]>;
  readonly #members: ReadonlyMap<string, readonly UnitName[]>;
  readonly #sets: ReadonlyMap<string, readonly UnitName[]>;
  readonly #held: ReadonlySet<UnitName>;

  constructor(input: WaitsInput) {
    this.#input = input;
    this.#units = new Map(input.spec.units.map((unit) => [unit.name, unit]));
    this.#members = new Map(input.spec.groups.map(({ name, units }) => [name, units]));
    this.#sets = Map.groupBy(input.before.keys(), replicaSetOf);
    this.#held = new Set(input.held.map(({ unit }) => unit));
  }

  /** What keeps the unit's group from changing; what waits for something that waits itself waits for the same. */
  of(unit: UnitName): readonly WaveBlocker[] {
    const group = this.#units.get(unit)?.group ?? unit;
    const known = this.#ofGroup.get(group);
    if (known !== undefined) return known;
    // A circle through groups ends here.
    this.#ofGroup.set(group, []);
    const members = this.#members.get(group) ?? [unit];
    const found = new Map<string, WaveBlocker>();
    const add = (blockers: readonly WaveBlocker[]) => {
      for (const blocker of blockers) found.set(`${blocker.unit}/${blocker.machine}`, blocker);
    };
    for (const member of members) {
      add(this.#inSet(replicaSetOf(member)));
      for (const earlier of this.#units.get(member)?.after ?? []) {
        add(this.#notUp([earlier]));
        if (this.#held.has(earlier) && this.#units.get(earlier)?.group !== group) add(this.of(earlier));
      }
    }
    const sorted = [...found].sort(([a], [b]) => compareText(a, b)).map(([, blocker]) => blocker);
    const blockers = sorted.slice(0, BLOCKERS_NAMED_MAX);
    this.#ofGroup.set(group, blockers);
    return blockers;
  }

  #inSet(set: string): readonly WaveBlocker[] {
    const known = this.#ofSet.get(set);
    if (known !== undefined) return known;
    const blockers = this.#notUp(this.#sets.get(set) ?? []);
    this.#ofSet.set(set, blockers);
    return blockers;
  }

  #notUp(units: readonly UnitName[]): WaveBlocker[] {
    const { before, isAway, stateOf } = this.#input;
    return units.flatMap((unit) =>
      (before.get(unit) ?? []).flatMap(({ machine }): WaveBlocker[] => {
        if (isAway(machine)) return [];
        const state = stateOf(unit, machine);
        return state === "up" ? [] : [{ unit, machine, state }];
      }),
    );
  }
}
