import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { compareText, type MachineId, type UnitHash, type UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";

/** A unit on a machine, as the registry has it. */
export interface PlacedSide {
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly goal: UnitGoal;
}

/**
 * Where every unit is, by the registry: its assignment; for a unit without one (a global unit), every set that holds it.
 * A set that still holds a unit assigned elsewhere is a projection the engine is about to correct, and no second place.
 * Sides are sorted by machine; units by name.
 */
export function placedNow(snapshot: ClusterSnapshot): Map<UnitName, readonly PlacedSide[]> {
  const sides = new Map<UnitName, PlacedSide[]>();
  for (const { unit, machine, hash, goal } of snapshot.assignments) sides.set(unit, [{ machine, hash, goal }]);
  const assigned = new Set(sides.keys());
  for (const { machine, placements } of snapshot.sets) {
    for (const { unit, hash, goal } of placements) {
      if (assigned.has(unit)) continue;
      const others = sides.get(unit);
      if (others === undefined) sides.set(unit, [{ machine, hash, goal }]);
      else others.push({ machine, hash, goal });
    }
  }
  for (const list of sides.values()) list.sort((a, b) => compareText(a.machine, b.machine));
  return new Map([...sides].sort(([a], [b]) => compareText(a, b)));
}

/** Only the machines of each unit: what `placeUnits` needs to keep units where they are. */
export function machinesOfUnits(
  placed: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): Map<UnitName, readonly MachineId[]> {
  return new Map([...placed].map(([unit, sides]) => [unit, sides.map((side) => side.machine)]));
}
