import type { ClusterSnapshot, PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { toldSets } from "../cluster/told-sets.ts";
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
 * A set that still holds a unit assigned elsewhere is a projection the engine is about to correct, and no second place. Of a set that
 * was damaged, what its machine tells counts as well.
 * Sides are sorted by machine; units by name.
 */
export function placedNow(snapshot: ClusterSnapshot): ReadonlyMap<UnitName, readonly PlacedSide[]> {
  const known = remembered.get(snapshot.sets);
  if (known !== undefined && isMadeOf(known.of, snapshot)) return known.placed;
  const placed = placedIn(snapshot);
  const { identity, assignments, sets, kept } = snapshot;
  remembered.set(sets, { of: { identity, assignments, kept }, placed });
  return placed;
}

/** What it is read from, beside the sets. Statuses are none of it: they come in storms, and nothing is elsewhere for it. */
type Parts = Pick<ClusterSnapshot, "identity" | "assignments" | "kept">;

/** A snapshot is immutable, and one plan asks this of it four times: 20 ms each with 20,000 units. */
const remembered = new WeakMap<
  ClusterSnapshot["sets"],
  { readonly of: Parts; readonly placed: ReadonlyMap<UnitName, readonly PlacedSide[]> }
>();

function isMadeOf(a: Parts, b: Parts): boolean {
  return a.identity === b.identity && a.assignments === b.assignments && a.kept === b.kept;
}

function placedIn(snapshot: ClusterSnapshot): Map<UnitName, readonly PlacedSide[]> {
  const assigned = new Map<UnitName, readonly PlacedSide[]>();
  for (const { unit, machine, hash, goal } of snapshot.assignments) assigned.set(unit, [{ machine, hash, goal }]);
  const others = new Map<UnitName, PlacedSide[]>();
  for (const { machine, placements } of setsAsKnown(snapshot)) {
    for (const { unit, hash, goal } of placements) {
      if (assigned.has(unit)) continue;
      const sides = others.get(unit);
      if (sides === undefined) others.set(unit, [{ machine, hash, goal }]);
      else sides.push({ machine, hash, goal });
    }
  }
  for (const sides of others.values()) sides.sort((a, b) => compareText(a.machine, b.machine));
  const placed = new Map<UnitName, readonly PlacedSide[]>();
  for (const unit of [...assigned.keys(), ...others.keys()].sort()) {
    placed.set(unit, assigned.get(unit) ?? others.get(unit)!);
  }
  return placed;
}

interface KnownSet {
  readonly machine: MachineId;
  readonly placements: readonly PlacedUnit[];
}

function setsAsKnown(snapshot: ClusterSnapshot): readonly KnownSet[] {
  const told = toldSets(snapshot);
  if (told.size === 0) return snapshot.sets;
  const shown = new Map(snapshot.sets.map(({ machine, placements }) => [machine, placements]));
  const wiped = [...told.keys()].filter((machine) => !shown.has(machine));
  return [...shown.keys(), ...wiped].map((machine) => {
    const there = shown.get(machine) ?? [];
    const units = new Set(there.map(({ unit }) => unit));
    const gone = told.get(machine)?.placements.filter(({ unit }) => !units.has(unit)) ?? [];
    return { machine, placements: [...there, ...gone] };
  });
}

/** Only the machines of each unit: what `placeUnits` needs to keep units where they are. */
export function machinesOfUnits(
  placed: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): ReadonlyMap<UnitName, readonly MachineId[]> {
  const known = machines.get(placed);
  if (known !== undefined) return known;
  const found = new Map([...placed].map(([unit, sides]) => [unit, sides.map((side) => side.machine)]));
  machines.set(placed, found);
  return found;
}

/** Asked at every pass of an engine, and the same again tells whoever places that nothing has moved. */
const machines = new WeakMap<
  ReadonlyMap<UnitName, readonly PlacedSide[]>,
  ReadonlyMap<UnitName, readonly MachineId[]>
>();
