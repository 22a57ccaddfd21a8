import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { UnitName } from "../names.ts";
import { placedNow } from "../placement/placed-now.ts";
import type { Plan } from "./plan.ts";

/**
 * Units that this plan leaves without any machine that could ever hold them, and that are not so already: they are new, or they
 * run now. Those forbid an apply; one that the release in force had and no machine held does not, or one bad unit
 * would stop every later commit. `previousUnits` are the units of the release in force. Sorted.
 */
export function newlyUnplaceable(
  plan: Pick<Plan, "unplaced">,
  snapshot: ClusterSnapshot,
  previousUnits: ReadonlySet<UnitName>,
): UnitName[] {
  const placed = placedNow(snapshot);
  return plan.unplaced
    .filter((group) => group.kind === "unplaceable")
    .flatMap((group) => group.units)
    .filter((unit) => !previousUnits.has(unit) || placed.has(unit))
    .sort();
}
