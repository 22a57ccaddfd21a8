import type { ClusterSnapshot, UnitStatus } from "../cluster/cluster-snapshot.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { NextWave } from "./next-wave.ts";
import type { RolloutChange } from "./plan-rollout.ts";

interface HandOffInput {
  readonly spec: ClusterSpec;
  readonly snapshot: ClusterSnapshot;
  readonly isAway: (machine: MachineId) => boolean;
}

/** States in which there are processes, or will be. */
const UP: ReadonlySet<string> = new Set(["active", "activating", "deactivating", "reloading"]);

/**
 * A group with a unit that runs at most once moves in two steps (protocol rule 27): its machine is told to stop it, by the goal `loaded`,
 * and it is placed anew only once that machine says of every unit that it is down, and says so of this very placement. Of a machine that
 * is away nothing is awaited: whoever writes compares that it still is, and by then its lease has stopped what must not run on. What
 * has to wait is among `held`.
 */
export function handOff(wave: NextWave, { spec, snapshot, isAway }: HandOffInput): NextWave {
  const single = new Set(spec.units.filter((unit) => unit.stopAfterMs !== undefined).map((unit) => unit.group));
  if (single.size === 0) return wave;
  const groupOf = new Map(spec.units.map((unit) => [unit.name, unit.group]));
  const says = new Statements(snapshot);
  const waits = (change: RolloutChange): boolean => {
    if (isMove(change)) return !isAway(change.from!.machine) && !says.isHandedOver(change.unit, change.from!.machine);
    return change.from === null && says.isUpBeside(change.unit, change.to!.machine, isAway);
  };
  const waiting = new Set(
    wave.made
      .filter((change) => single.has(groupOf.get(change.unit)!) && change.to !== null && waits(change))
      .map((change) => groupOf.get(change.unit)!),
  );
  if (waiting.size === 0) return wave;
  const isWaiting = (change: RolloutChange) =>
    waiting.has(groupOf.get(change.unit)!) && (isMove(change) || change.from === null);
  const back = wave.made.filter(isWaiting);
  return {
    placements: withPlacesOf(back, wave.placements),
    made: wave.made.filter((change) => !isWaiting(change)),
    held: [...wave.held, ...back],
  };
}

function isMove({ from, to }: RolloutChange): boolean {
  return from !== null && to !== null && from.machine !== to.machine;
}

/** Where they were, and no longer to be started. */
function withPlacesOf(changes: readonly RolloutChange[], placements: readonly Placement[]): readonly Placement[] {
  const before = new Map(changes.map((change) => [change.unit, change.from]));
  return placements.flatMap((placement): Placement[] => {
    const from = before.get(placement.unit);
    if (from === undefined) return [placement];
    return from === null ? [] : [{ unit: placement.unit, ...from, goal: "loaded", reason: { code: "stayed" } }];
  });
}

/** What agents say of units, held against what the registry gave them. */
class Statements {
  /** By unit that is not to be started, the revision at which that was said. */
  readonly #told: ReadonlyMap<UnitName, number>;
  readonly #statuses = new Map<UnitName, UnitStatus[]>();

  constructor(snapshot: ClusterSnapshot) {
    const told = snapshot.assignments.filter(({ goal }) => goal === "loaded");
    this.#told = new Map(told.map(({ unit, modRevision }) => [unit, modRevision]));
    for (const status of snapshot.statuses) {
      this.#statuses.set(status.unit, [...(this.#statuses.get(status.unit) ?? []), status]);
    }
  }

  /** Its agent has looked at it since it was told, and it was down. */
  isHandedOver(unit: UnitName, machine: MachineId): boolean {
    const status = this.#statuses.get(unit)?.find((one) => one.machine === machine);
    if (status?.placed === undefined) return false;
    return status.placed === this.#told.get(unit) && !UP.has(status.active);
  }

  /** It was taken from there a moment ago and is still on its way down. */
  isUpBeside(unit: UnitName, machine: MachineId, isAway: (machine: MachineId) => boolean): boolean {
    const others = this.#statuses.get(unit)?.filter((one) => one.machine !== machine && !isAway(one.machine)) ?? [];
    return others.some(({ active }) => UP.has(active));
  }
}
