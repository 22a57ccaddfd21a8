import type { Machine } from "../cluster/machine.ts";
import { awaitsMachine } from "../loss/may-be-replaced.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type Atom, atomsOf } from "./atoms.ts";
import { homesOf } from "./homes-of.ts";
import { leastLoaded } from "./least-loaded.ts";
import { MachineRoom } from "./machine-room.ts";
import type { PlacementReason, RejectReason, Unplaced } from "./placement.ts";
import { leaveBecause, staticReject } from "./static-fit.ts";
import { conflictBetween, replacerOf } from "./who-minds.ts";
import { whyUnplaced } from "./why-unplaced.ts";

export interface PlacementInput {
  readonly spec: ClusterSpec;
  /** In any order; see `machinesOf`. */
  readonly machines: readonly Machine[];
  /** Where units are now: `machinesOfUnits(placedNow(snapshot))`. A single unit has one machine, a global one several. */
  readonly current: ReadonlyMap<UnitName, readonly MachineId[]>;
  /** Where the plan of the release puts units. */
  readonly preferred: ReadonlyMap<UnitName, MachineId>;
}

/** One group on one machine. */
export interface Seat {
  readonly atom: Atom;
  readonly machine: Machine;
  readonly reason: SeatReason;
}

/** Why the group is there; what it means for one of its units depends on where that unit was. */
export type SeatReason =
  | Extract<PlacementReason, { readonly code: "stayed" | "planned" | "least-loaded" | "only-fit" | "global" }>
  | Extract<PlacementReason, { readonly code: "data-stays" | "awaits-machine" | "nowhere-else" }>
  | { readonly code: "left"; readonly because: RejectReason };

/**
 * Puts every group on a machine. The same inputs in any order give the same seats, and a cluster that is as this says is
 * left as it is. In this order:
 *
 * 1. Global groups, by level of `Replaces=`, then name: on each machine the commit allows, unless one before it is there and they
 *    conflict. What is there already stays through drain, cordon, absence and loss; a machine that is closed gets no new one.
 * 2. Every single group that may stay stays: its machine is allowed, neither drained nor lost, and nobody before it there
 *    minds. One that has several (it was global) stays where the plan said. Before: lower level, then those that never move (their data is there), then name.
 * 3. The others, by level: first those that may stay by now, then those whose planned machine takes them, then those with the fewest machines to choose from, then by
 *    name; each goes to the least loaded open machine that fits, by units, then by name and id of the machine. It displaces
 *    what it replaces only where it fits nowhere else; the displaced come later, having a higher level.
 * 4. One that should leave a drained or lost machine and fits nowhere stays there: a pinned unit is not stopped for
 *    nothing, and does not restart when its machine returns.
 */
export function placeGroups(input: PlacementInput): {
  readonly seats: readonly Seat[];
  readonly unplaced: readonly Unplaced[];
} {
  const machines = [...input.machines].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
  const atoms = atomsOf(input.spec);
  const placing = new Placing(machines, input);
  placing.placeGlobals(atoms.filter((atom) => atom.group.global).sort((a, b) => a.level - b.level));
  const singles = atoms.filter((atom) => !atom.group.global);
  placing.keep(singles);
  placing.placeOthers(singles);
  return { seats: placing.seats(), unplaced: whyUnplaced(placing.unplaced(atoms), placing.room) };
}

interface Taken {
  readonly machine: number;
  readonly reason: SeatReason;
}

class Placing {
  readonly room: MachineRoom;
  readonly #input: PlacementInput;
  readonly #numbers: ReadonlyMap<MachineId, number>;
  readonly #globals: Seat[] = [];
  readonly #singles = new Map<Atom, Taken>();
  readonly #leaving = new Map<Atom, RejectReason>();
  #roomWasMade = false;

  constructor(machines: readonly Machine[], input: PlacementInput) {
    this.room = new MachineRoom(machines);
    this.#input = input;
    this.#numbers = new Map(machines.map((machine, number) => [machine.id, number]));
  }

  placeGlobals(atoms: readonly Atom[]): void {
    for (const atom of atoms) {
      const { allowed } = this.room.candidates(atom);
      const here = new Set(this.#homes(atom));
      this.room.machines.forEach((machine, number) => {
        if (!allowed[number] || !(here.has(number) || this.room.isOpen(number)) || this.room.minds(atom, number))
          return;
        this.room.add(atom, number);
        this.#globals.push({ atom, machine, reason: { code: "global" } });
      });
    }
  }

  keep(atoms: readonly Atom[]): void {
    const rank = (atom: Atom) => (atom.group.move === "never" ? 0 : 1);
    for (const atom of [...atoms].sort((a, b) => a.level - b.level || rank(a) - rank(b))) {
      if (this.#placeAtHome(atom)) continue;
      const homes = this.#homes(atom);
      if (homes.length > 0) this.#leaving.set(atom, this.#reject(atom, homes[0]!));
      else if (this.#isFromGoneMachine(atom)) this.#leaving.set(atom, { code: "lost" });
    }
  }

  /**
   * Who is displaced makes room, also for one that was looked at earlier and found none: then those that are not where they
   * should be are looked at again. This ends, because who displaces is on a lower level than who goes.
   */
  placeOthers(atoms: readonly Atom[]): void {
    const levels = [...new Set(atoms.map((atom) => atom.level))].sort((a, b) => a - b);
    do {
      this.#roomWasMade = false;
      for (const [atom, { machine, reason }] of this.#singles) {
        if (reason.code === "nowhere-else") this.#unseat(atom, machine);
      }
      for (const level of levels)
        this.#placeLevel(atoms.filter((atom) => atom.level === level && !this.#singles.has(atom)));
    } while (this.#roomWasMade);
  }

  #placeLevel(waiting: readonly Atom[]): void {
    const choices = new Map(waiting.map((atom) => [atom, this.room.candidates(atom).allowedCount]));
    const inTurn = [...waiting].sort((a, b) => choices.get(a)! - choices.get(b)!);
    // Who made it leave may have left since.
    for (const atom of inTurn) if (!this.#placeAtHome(atom)) this.#placeAsPlanned(atom);
    for (const atom of inTurn) if (!this.#singles.has(atom)) this.#placeFreely(atom);
  }

  seats(): Seat[] {
    const singles = [...this.#singles].map(([atom, { machine, reason }]) => ({
      atom,
      machine: this.room.machines[machine]!,
      reason,
    }));
    return [...this.#globals, ...singles];
  }

  unplaced(atoms: readonly Atom[]): Atom[] {
    const global = new Set(this.#globals.map((seat) => seat.atom));
    return atoms.filter((atom) => !global.has(atom) && !this.#singles.has(atom));
  }

  #placeAtHome(atom: Atom): boolean {
    const staying = this.#homes(atom).filter((machine) => this.#mayStay(atom, machine));
    const planned = staying.length > 1 ? this.#planned(atom) : undefined;
    const home = staying.find((machine) => machine === planned) ?? staying[0];
    if (home === undefined) return false;
    this.#seat(atom, home, this.#stayReason(atom, home));
    return true;
  }

  #mayStay(atom: Atom, machine: number): boolean {
    const leaves = leaveBecause(this.room.machines[machine]!, atom.units) !== null && atom.group.move !== "never";
    return !leaves && this.room.candidates(atom).allowed[machine]! && !this.room.minds(atom, machine);
  }

  #stayReason(atom: Atom, machine: number): SeatReason {
    const here = this.room.machines[machine]!;
    if (leaveBecause(here, atom.units) === null) {
      return { code: here.presence === "lost" && awaitsMachine(atom.units) ? "awaits-machine" : "stayed" };
    }
    return { code: "data-stays", because: atom.group.localState[0]?.because ?? "Move=never" };
  }

  #placeAsPlanned(atom: Atom): void {
    const planned = this.#planned(atom);
    if (planned === undefined || !this.room.isOpen(planned)) return;
    if (!this.room.candidates(atom).allowed[planned] || this.room.minds(atom, planned)) return;
    this.#seat(atom, planned, this.#leavingReason(atom) ?? { code: "planned" });
  }

  #placeFreely(atom: Atom): void {
    const { open, allowedCount } = this.room.candidates(atom);
    const best = leastLoaded(atom, open, this.room);
    if (best !== null) {
      const chosen: SeatReason =
        allowedCount === 1
          ? { code: "only-fit" }
          : { code: "least-loaded", load: this.room.load[best]!, fitting: open.length };
      this.#seat(atom, best, this.#leavingReason(atom) ?? chosen);
      return;
    }
    const home = this.#homes(atom).find((machine) => this.#mayBeLeftAt(atom, machine));
    if (home !== undefined) {
      this.#seat(atom, home, { code: "nowhere-else", because: leaveBecause(this.room.machines[home]!, atom.units)! });
    }
  }

  #mayBeLeftAt(atom: Atom, machine: number): boolean {
    const leaves = leaveBecause(this.room.machines[machine]!, atom.units) !== null;
    return leaves && this.room.candidates(atom).allowed[machine]! && !this.room.minds(atom, machine);
  }

  #seat(atom: Atom, machine: number, reason: SeatReason): void {
    if (this.room.displaces(atom, machine)) this.#displace(atom, machine);
    this.room.add(atom, machine);
    this.#singles.set(atom, { machine, reason });
  }

  /** Those displaced are looked at again when their level comes, which is above this one's. */
  #displace(atom: Atom, machine: number): void {
    for (const resident of [...this.room.residents(machine)]) {
      const unit = resident.group.global ? null : replacerOf(resident, [atom]);
      if (unit === null) continue;
      this.#unseat(resident, machine);
      this.#roomWasMade = true;
      this.#leaving.set(resident, { code: "replaced-by", unit });
    }
  }

  #unseat(atom: Atom, machine: number): void {
    this.room.remove(atom, machine);
    this.#singles.delete(atom);
  }

  #leavingReason(atom: Atom): SeatReason | null {
    const because = this.#leaving.get(atom);
    return because === undefined ? null : { code: "left", because };
  }

  #reject(atom: Atom, machine: number): RejectReason {
    const here = this.room.machines[machine]!;
    const residents = this.room.residents(machine);
    const because =
      staticReject(atom.units, here) ?? leaveBecause(here, atom.units) ?? conflictBetween(atom, residents);
    return because ?? { code: "replaced-by", unit: replacerOf(atom, residents)! };
  }

  #homes(atom: Atom): readonly number[] {
    return homesOf(atom, (unit) => this.#input.current.get(unit) ?? [], this.#numbers);
  }

  #planned(atom: Atom): number | undefined {
    return homesOf(atom, (unit) => this.#preferredOf(unit), this.#numbers)[0];
  }

  #isFromGoneMachine(atom: Atom): boolean {
    return atom.units.some((unit) => (this.#input.current.get(unit.name) ?? []).length > 0);
  }

  #preferredOf(unit: UnitName): readonly MachineId[] {
    const machine = this.#input.preferred.get(unit);
    return machine === undefined ? [] : [machine];
  }
}
