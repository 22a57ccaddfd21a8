import type { Machine } from "../cluster/machine.ts";
import type { GroupName, MachineId, UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type LossThresholds, leastGraceMs } from "./damping.ts";
import { awaitsMachine } from "./may-be-replaced.ts";

/** One machine of the cluster as a judge of losses sees it now. */
export interface Sighting {
  readonly machine: MachineId;
  readonly present: boolean;
  /** The commit empties it: that it goes is no surprise. */
  readonly drained: boolean;
  /** How many units would move if it were lost, by the grace of their group's slowest; milliseconds. */
  readonly stakes: ReadonlyMap<number, number>;
}

/** Every machine of a cluster, and how many units there are that may be moved at all. */
export interface Sightings {
  /** Sorted by machine. */
  readonly machines: readonly Sighting[];
  readonly units: number;
}

/** `placed`: where each single unit is, as `machinesOfUnits` says. Global units are everywhere and never move. */
export function sightingsOf(
  spec: ClusterSpec,
  machines: readonly Pick<Machine, "id" | "presence" | "drain">[],
  placed: ReadonlyMap<UnitName, readonly MachineId[]>,
  thresholds: LossThresholds,
): Sightings {
  const graces = gracesOfGroups(spec, thresholds);
  const stakes = new Map(machines.map(({ id }) => [id, new Map<number, number>()]));
  let units = 0;
  for (const unit of spec.units) {
    const here = placed.get(unit.name);
    if (unit.options.global || here === undefined) continue;
    units += 1;
    const grace = graces.get(unit.group);
    const counts = grace === undefined ? undefined : stakes.get(here[0]!);
    if (counts !== undefined && grace !== undefined) counts.set(grace, (counts.get(grace) ?? 0) + 1);
  }
  return {
    machines: machines
      .map(({ id, presence, drain }) => ({
        machine: id,
        present: presence === "present",
        drained: drain,
        stakes: stakes.get(id)!,
      }))
      .sort((a, b) => (a.machine < b.machine ? -1 : 1)),
    units,
  };
}

/** Of each group that a loss may move: the longest grace of its units, and none below the least. */
function gracesOfGroups(
  { groups, units }: ClusterSpec,
  { agentTtlMs, graceMs }: LossThresholds,
): ReadonlyMap<GroupName, number> {
  const wanted = units.filter(({ goal }) => goal !== "inactive");
  const staying = new Set(wanted.filter((unit) => awaitsMachine([unit])).map(({ group }) => group));
  const moving = groups.filter(({ name, move, global }) => move === "auto" && !global && !staying.has(name));
  const graces = new Map(moving.map(({ name }) => [name, leastGraceMs(agentTtlMs)]));
  for (const { group, replace } of wanted) {
    const known = graces.get(group);
    if (known === undefined) continue;
    graces.set(group, Math.max(known, typeof replace === "object" ? replace.afterMs : graceMs));
  }
  return graces;
}
