import type { Machine } from "../cluster/machine.ts";
import type { GroupName, MachineId, UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { mayBeReplaced } from "./may-be-replaced.ts";

/** One machine of the cluster as a judge of losses sees it now. */
export interface Sighting {
  readonly machine: MachineId;
  readonly present: boolean;
  /** The commit empties it: that it goes is no surprise. */
  readonly drained: boolean;
  /** Units that would move if it were lost, by the grace of their group's slowest: how many. `null`: the cluster's grace. */
  readonly stakes: ReadonlyMap<number | null, number>;
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
  graceMs: number,
): Sightings {
  const graces = gracesOfGroups(spec, graceMs);
  const stakes = new Map(machines.map(({ id }) => [id, new Map<number | null, number>()]));
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

/** Of each group that a loss may move: the longest grace of its units, the cluster's as null. */
function gracesOfGroups(spec: ClusterSpec, clusterGraceMs: number): ReadonlyMap<GroupName, number | null> {
  const movable = new Set(spec.groups.filter(({ move, global }) => move === "auto" && !global).map(({ name }) => name));
  const graces = new Map<GroupName, number | null>();
  for (const unit of spec.units) {
    if (!movable.has(unit.group) || unit.goal === "inactive") continue;
    if (!mayBeReplaced([unit], undefined)) {
      movable.delete(unit.group);
      graces.delete(unit.group);
      continue;
    }
    const own = unit.replace === undefined || unit.replace === "no" ? null : unit.replace.afterMs;
    const known = graces.get(unit.group);
    const isLonger = known === undefined || (own ?? clusterGraceMs) > (known ?? clusterGraceMs);
    if (isLonger) graces.set(unit.group, own);
  }
  return graces;
}
