import { compareText, type MachineId, type Sha256 } from "../names.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import { GroupPlacer } from "./group-placer.ts";
import type { PlacementInput } from "./place-groups.ts";
import type { Placement, PlacementReason, PlacementResult } from "./placement.ts";
import type { Seat, Sitting } from "./sitting.ts";
import { type UnitHashes, unitHashes } from "./unit-hashes.ts";

/** One unit, and what was said of it when its group had this seat, or, of a global one, these. */
interface Place {
  readonly unit: SpecUnit;
  readonly sitting: Sitting;
  seat: Seat | null;
  placement: Placement | null;
  everywhere: { readonly seats: readonly Seat[]; readonly placements: readonly Placement[] } | null;
}

/**
 * Places units again and again, and does only what a change makes necessary: see `GroupPlacer`. Gives what `placeUnits` gives, and the
 * very result it gave the last time where nothing has changed. For whoever decides at every pass, as an engine does.
 */
export class UnitPlacer {
  readonly #sha256: Sha256;
  readonly #groups = new GroupPlacer();
  #input: PlacementInput | null = null;
  /** By unit; none that is `inactive`. */
  #places: readonly Place[] = [];
  #result: PlacementResult = { placements: [], unplaced: [] };

  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
  }

  place(input: PlacementInput): PlacementResult {
    const before = this.#input;
    this.#input = input;
    const isOther = this.#groups.place(input);
    const isSameText = before !== null && (before.spec === input.spec || !hasMachineDropins(before, input));
    const places = this.#places;
    // Other machines make other sittings of the same units.
    if (before?.spec !== input.spec || places[0]?.sitting.isRemoved)
      this.#places = this.#follow(isSameText ? places : []);
    if (!isOther && isSameText && this.#places === places) return this.#result;
    const hashOf = unitHashes(input.spec, this.#sha256);
    const placements: Placement[] = [];
    this.#places.forEach((place) => {
      const { seat, everywhere } = place.sitting;
      if (everywhere !== null) placements.push(...this.#everywhere(place, [...everywhere.values()], hashOf));
      else if (seat !== null) {
        if (place.seat !== seat || place.placement === null) {
          place.seat = seat;
          place.placement = this.#placement(place.unit, seat, hashOf);
        }
        placements.push(place.placement);
      }
    });
    this.#result = { placements, unplaced: this.#groups.unplaced };
    return this.#result;
  }

  /** A place for each unit of the commit, the old one where it is the same unit in the same group. */
  #follow(old: readonly Place[]): readonly Place[] {
    const places: Place[] = [];
    let at = 0;
    let isSame = true;
    this.#groups.units.forEach((unit) => {
      if (unit.goal === "inactive") return;
      // Mostly it is the next: then names need not be compared.
      while (at < old.length && old[at]!.unit !== unit && old[at]!.unit.name < unit.name) at += 1;
      const known = old[at];
      if (known?.unit === unit && !known.sitting.isRemoved) {
        at += 1;
        places.push(known);
        return;
      }
      isSame = false;
      places.push({
        unit,
        sitting: this.#groups.sittingOf(unit.group)!,
        seat: null,
        placement: null,
        everywhere: null,
      });
    });
    return isSame && places.length === old.length ? old : places;
  }

  #placement(unit: SpecUnit, seat: Seat, hashOf: UnitHashes): Placement {
    return {
      unit: unit.name,
      machine: seat.machine.id,
      hash: hashOf(unit, seat.machine),
      goal: unit.goal,
      reason: reasonOf(seat, this.#input!.current.get(unit.name) ?? NOWHERE),
    };
  }

  #everywhere(place: Place, seats: readonly Seat[], hashOf: UnitHashes): readonly Placement[] {
    const known = place.everywhere;
    const isSame = known?.seats.length === seats.length && seats.every((seat, index) => seat === known.seats[index]);
    if (known !== null && isSame) return known.placements;
    const placements = seats
      .map((seat) => this.#placement(place.unit, seat, hashOf))
      .sort((a, b) => compareText(a.machine, b.machine));
    place.everywhere = { seats, placements };
    return placements;
  }
}

const NOWHERE: readonly MachineId[] = [];

/** Then a unit's hash is not its own alone. */
function hasMachineDropins(...inputs: readonly PlacementInput[]): boolean {
  return inputs.some(({ spec }) => spec.machines.some(({ dropins }) => dropins.length > 0));
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
