import type { SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";

const YES: ReadonlySet<string> = new Set(["1", "yes", "y", "true", "t", "on"]);

/**
 * Whether the unit runs once and then is down again: a oneshot that does not remain. Inactive after success, it has converged
 * and is not started again. A machine's own drop-ins are not asked: they do not turn one kind of unit into another.
 */
export function isOneshot(unit: SpecUnit): boolean {
  const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
  const effective = effectiveUnit(read(unit.fragment), unit.dropins.map(read));
  if (effective.last("Service", "Type")?.value !== "oneshot") return false;
  return !YES.has(effective.last("Service", "RemainAfterExit")?.value.toLowerCase() ?? "no");
}
