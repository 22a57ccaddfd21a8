import type { UnitName } from "../names.ts";
import { unitNameParts } from "./unit-name.ts";

/**
 * The name of the set of replicas a unit is in: its template's, or its own. By its name alone: an instance that the commit no longer has, or
 * has as a file of its own, is one of its template's still.
 */
export function replicaSetOf(unit: UnitName): string {
  return unit.includes("@") ? unitNameParts(unit).template! : unit;
}
