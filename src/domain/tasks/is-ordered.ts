import type { UnitHash } from "../names.ts";
import type { WantedUnit } from "./task.ts";

/**
 * Whether the commit, or a person through fleet, asks of a unit of ours what was not done yet: another text, a start, a stop. What is
 * done about it is no repair of what others changed.
 */
export function isOrdered(
  { hash, goal }: Pick<WantedUnit, "hash" | "goal">,
  { onDisk, started }: { readonly onDisk: UnitHash | null; readonly started: UnitHash | null },
): boolean {
  return onDisk !== hash || started !== (goal === "launched" ? hash : null);
}
