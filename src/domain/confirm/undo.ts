import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { compareText, type UnitName } from "../names.ts";
import { byName, changedUnits } from "./change-risk.ts";

/** A unit that a change is about, and what there was of it before; null: nothing. */
export interface Undo {
  readonly unit: UnitName;
  readonly kept: PlacedUnit | null;
}

/**
 * How to go back from one set to the one before: all of it, but units that are left out because they run elsewhere by now. `belongsHere`
 * says of a unit that goes whether it does no harm here: nobody else runs it, or the machine may need it to be reached.
 */
export function undoOf(
  before: readonly PlacedUnit[],
  after: readonly PlacedUnit[],
  belongsHere: (placed: PlacedUnit) => boolean,
): Undo[] {
  const [old, next] = [byName(before), byName(after)];
  return changedUnits(old, next).flatMap((unit): Undo[] => {
    const kept = old.get(unit) ?? null;
    return kept === null || next.has(unit) || belongsHere(kept) ? [{ unit, kept }] : [];
  });
}

/** The set before, sorted by unit. */
export function undone(after: readonly PlacedUnit[], undo: readonly Undo[]): readonly PlacedUnit[] {
  const units = new Map(byName(after));
  for (const { unit, kept } of undo) {
    if (kept === null) units.delete(unit);
    else units.set(unit, kept);
  }
  return [...units.values()].sort((a, b) => compareText(a.unit, b.unit));
}
