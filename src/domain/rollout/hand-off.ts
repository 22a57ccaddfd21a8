import type { ClusterSnapshot, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { hasProcesses } from "../cluster/health-table.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { isMove } from "./next-wave.ts";
import type { RolloutChange } from "./plan-rollout.ts";

interface HandOffInput {
  readonly spec: ClusterSpec;
  readonly snapshot: ClusterSnapshot;
  /** `machinesOf` them. */
  readonly machines: readonly Machine[];
}

/** Somebody else's unit has the name there, and stays when ours goes: ours is not there. */
const OF_OTHERS: ReadonlySet<string> = new Set(["conflict", "shadowed"]);

/**
 * Whether what changes together has to wait for the machine it leaves (protocol rule 27): a move has two steps. Its machine is told to
 * stop the unit, by the goal `inactive`, and the unit is placed anew only once that machine says of it that it is down, and says so of
 * this very placement. There is no time after which it is started anyway.
 *
 * Of a machine that is lost nothing is awaited. While it is only silent, what is kept runs on there: that machine comes back, or
 * its loss is judged as any other (`judgeLoss`). What runs at most once goes at once: its machine's lease has stopped it, and whoever
 * writes compares that the machine is still away. Such a unit also waits where it was taken from another machine a
 * moment ago and is still on its way down there.
 */
export function handOffs({ spec, snapshot, machines }: HandOffInput): (step: readonly RolloutChange[]) => boolean {
  const single = new Set(spec.units.filter((unit) => unit.stopAfterMs !== undefined).map((unit) => unit.group));
  const groupOf = new Map(spec.units.map((unit) => [unit.name, unit.group]));
  const isSingle = (unit: UnitName) => single.has(groupOf.get(unit)!);
  const presence = new Map(machines.map((machine) => [machine.id, machine.presence]));
  const says = new Statements(snapshot);
  const mustWait = (change: RolloutChange): boolean => {
    const { unit, from, to } = change;
    if (isMove(change)) {
      const there = presence.get(from!.machine) ?? "lost";
      if (there === "present") return !says.isHandedOver(unit, from!.machine);
      return there === "absent" && !isSingle(unit);
    }
    if (from !== null || to === null || !isSingle(unit)) return false;
    return says.isUpBeside(unit, to.machine, (machine) => presence.get(machine) === "present");
  };
  return (step) => step.some(mustWait);
}

/** What agents say of units, held against what the registry gave them. */
class Statements {
  /** By unit that is to be let go, the revision at which that was said. */
  readonly #told: ReadonlyMap<UnitName, number>;
  readonly #statuses = new Map<UnitName, UnitStatus[]>();

  constructor(snapshot: ClusterSnapshot) {
    const told = snapshot.assignments.filter(({ goal }) => goal === "inactive");
    this.#told = new Map(told.map(({ unit, modRevision }) => [unit, modRevision]));
    for (const status of snapshot.statuses) {
      const others = this.#statuses.get(status.unit);
      if (others === undefined) this.#statuses.set(status.unit, [status]);
      else others.push(status);
    }
  }

  /** Its agent has looked at it since it was told, and it was down. */
  isHandedOver(unit: UnitName, machine: MachineId): boolean {
    const status = this.#statuses.get(unit)?.find((one) => one.machine === machine);
    if (status?.placed === undefined || status.placed !== this.#told.get(unit)) return false;
    return !hasProcesses(status.active) || OF_OTHERS.has(status.problem?.code ?? "");
  }

  /** It was taken from there a moment ago and is still on its way down. */
  isUpBeside(unit: UnitName, machine: MachineId, isPresent: (machine: MachineId) => boolean): boolean {
    const others = this.#statuses.get(unit)?.filter((one) => one.machine !== machine && isPresent(one.machine)) ?? [];
    return others.some(({ active }) => hasProcesses(active));
  }
}
