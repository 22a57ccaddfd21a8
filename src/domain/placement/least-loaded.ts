import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";

/**
 * The open machine with the fewest units where nobody minds the group, one where it displaces nobody before any other; null where none
 * takes it. Ties go by machine number. Ten thousand groups ask this of a thousand machines: the load is compared first, and
 * neighbours only where it would win.
 */
export function leastLoaded(atom: Atom, open: readonly number[], room: MachineRoom): number | null {
  const { load } = room;
  let best: number | null = null;
  let bestDisplaces = false;
  for (const machine of open) {
    const isLess = best === null || load[machine]! < load[best]!;
    if (!isLess && !bestDisplaces) continue;
    const displaces = room.displaces(atom, machine);
    if (displaces === bestDisplaces ? !isLess : displaces && best !== null) continue;
    if (room.minds(atom, machine)) continue;
    best = machine;
    bestDisplaces = displaces;
  }
  return best;
}
