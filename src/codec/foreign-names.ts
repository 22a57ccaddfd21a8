import { FOREIGN_MAX } from "../domain/cluster/foreign-places.ts";
import type { UnitName } from "../domain/names.ts";

/** The foreign units of a member record, which older agents do not have: texts only, each once, sorted, no more than may be. */
export function foreignNames(value: unknown): UnitName[] {
  if (!Array.isArray(value)) return [];
  const names = value.filter((name) => typeof name === "string").slice(0, FOREIGN_MAX);
  return [...new Set(names)].sort() as UnitName[];
}
