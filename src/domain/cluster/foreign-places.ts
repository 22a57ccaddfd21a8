import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { ClusterSnapshot } from "./cluster-snapshot.ts";

/**
 * Where units that fleet has placed nowhere run already, as their machines say: somebody else installed them there. By unit; machines
 * sorted by name, then id.
 */
export function foreignPlaces(
  snapshot: ClusterSnapshot,
  placed: ReadonlyMap<UnitName, unknown>,
): Map<UnitName, readonly MachineId[]> {
  const places = new Map<UnitName, MachineId[]>();
  const members = [...snapshot.members].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
  for (const { id, foreign = [] } of members) {
    for (const unit of foreign) {
      if (!placed.has(unit)) places.set(unit, [...(places.get(unit) ?? []), id]);
    }
  }
  return new Map([...places].sort(([a], [b]) => compareText(a, b)));
}

/**
 * Of one machine. Ten times the most units a machine of any known cluster ran by hand, and 100 KiB in a record that is written only when
 * the set changes; those beyond, by name, are placed as if nobody ran them.
 */
export const FOREIGN_MAX = 2_000;
