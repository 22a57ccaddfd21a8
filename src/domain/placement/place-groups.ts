import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { GroupPlacer } from "./group-placer.ts";
import type { Unplaced } from "./placement.ts";
import type { Seat } from "./sitting.ts";

export interface PlacementInput {
  readonly spec: ClusterSpec;
  /** In any order; see `machinesOf`. */
  readonly machines: readonly Machine[];
  /** Where units are now: `machinesOfUnits(placedNow(snapshot))`. A single unit has one machine, a global one several. */
  readonly current: ReadonlyMap<UnitName, readonly MachineId[]>;
  /** Where the plan of the release puts units. */
  readonly preferred: ReadonlyMap<UnitName, MachineId>;
}

/**
 * Puts every group on a machine. The same inputs in any order give the same seats, and a cluster that is as this says is
 * left as it is. In this order:
 *
 * 1. Global groups, by level of `Replaces=`, then name: on each machine the commit allows, unless one before it is there and they
 *    conflict, or leave no room. What is there already stays through drain, cordon, absence and loss; a machine that is closed gets no new one.
 * 2. Every single group that may stay stays: its machine is allowed, neither drained nor lost, and nobody before it there
 *    minds. One that has several (it was global) stays where the plan said. Before: lower level, then those that never move (their data is there), then name.
 * 3. The others, by level: first those that may stay by now, then those whose planned machine takes them, then those with the fewest machines to choose from, then by
 *    name; each goes to the open machine that takes it where, by the keys it is spread by, the fewest of its replicas are; of those to the
 *    least loaded, by units; then by name and id of the machine. It displaces what it replaces only where it fits nowhere else; the
 *    displaced come later, having a higher level.
 * 4. One that should leave a drained or lost machine and fits nowhere stays there: a pinned unit is not stopped for
 *    nothing, and does not restart when its machine returns.
 *
 * Neighbours mind by `Conflicts=`, `Replaces=`, `MaxPerMachine=` and a hard `Spread=`, whoever of them came first. A newcomer also needs room for
 * what it requests; what runs needs none, so a machine on which more was promised than there is keeps it and takes no more.
 */
export function placeGroups(input: PlacementInput): {
  readonly seats: readonly Seat[];
  readonly unplaced: readonly Unplaced[];
} {
  const placer = new GroupPlacer();
  placer.place(input);
  const seats = placer
    .sittings()
    .flatMap(({ seat, everywhere }) => [...(everywhere?.values() ?? []), ...(seat === null ? [] : [seat])]);
  return { seats, unplaced: placer.unplaced };
}
