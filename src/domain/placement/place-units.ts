import { compareText, type MachineId, type Sha256 } from "../names.ts";
import { type PlacementInput, placeGroups, type Seat } from "./place-groups.ts";
import type { Placement, PlacementReason, PlacementResult } from "./placement.ts";
import { unitHashes } from "./unit-hashes.ts";

/** Which machine runs each unit, with which hash, and why; and why no machine runs the others. See `placeGroups` for the rules. */
export function placeUnits(input: PlacementInput & { readonly sha256: Sha256 }): PlacementResult {
  const { seats, unplaced } = placeGroups(input);
  const hashOf = unitHashes(input.spec, input.sha256);
  const placements = seats.flatMap((seat) =>
    seat.atom.units.map(
      (unit): Placement => ({
        unit: unit.name,
        machine: seat.machine.id,
        hash: hashOf(unit, seat.machine),
        goal: unit.goal,
        reason: reasonOf(seat, input.current.get(unit.name) ?? []),
      }),
    ),
  );
  placements.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
  return { placements, unplaced };
}

/** Why a group is where it is already. */
const STAYING: ReadonlySet<Seat["reason"]["code"]> = new Set([
  "stayed",
  "data-stays",
  "awaits-machine",
  "nowhere-else",
]);

/** What the group's seat means for one unit: it was here, it was elsewhere, or it is new. */
function reasonOf({ atom, machine, reason }: Seat, current: readonly MachineId[]): PlacementReason {
  const isHere = current.includes(machine.id);
  const from = current[0] ?? null;
  if (reason.code === "left") {
    if (isHere) return { code: "stayed" };
    return from === null
      ? { code: "joined-group", group: atom.group.name, from }
      : { code: "moved", from, because: reason.because };
  }
  return STAYING.has(reason.code) && !isHere ? { code: "joined-group", group: atom.group.name, from } : reason;
}
