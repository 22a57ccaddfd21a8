import type { Machine } from "../cluster/machine.ts";
import { matchesSelector } from "../cluster/selector.ts";
import type { Ring } from "../spec/cluster-spec.ts";

/** The index of the first ring it matches; `rings.length` for a machine in none, which comes after the last. */
export function ringOf(rings: readonly Ring[], machine: Pick<Machine, "id" | "name" | "metadata">): number {
  const index = rings.findIndex(({ match }) => match === null || matchesSelector(match, machine));
  return index === -1 ? rings.length : index;
}

/** How many rings there are to open: those of the commit, and one more where a machine is in none of them. 1 where the commit has none. */
export function ringCount(
  rings: readonly Ring[],
  machines: readonly Pick<Machine, "id" | "name" | "metadata">[],
): number {
  const hasOthers = machines.some((machine) => ringOf(rings, machine) === rings.length);
  return Math.max(1, rings.length + (hasOthers ? 1 : 0));
}
