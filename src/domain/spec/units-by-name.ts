import type { UnitName } from "../names.ts";
import type { SpecUnit } from "./cluster-spec.ts";

/** The units of a spec by their names. Remembered with the list: every decider asks, and an engine asks all of them at every pass. */
export function unitsByName(units: readonly SpecUnit[]): ReadonlyMap<UnitName, SpecUnit> {
  const before = known.get(units);
  if (before !== undefined) return before;
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  known.set(units, byName);
  return byName;
}

const known = new WeakMap<readonly SpecUnit[], ReadonlyMap<UnitName, SpecUnit>>();
