import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import { couldStay, type Sitting, seatAtHome, stayingSeat } from "./sitting.ts";
import { leaveBecause, staticReject } from "./static-fit.ts";
import { whyMinded } from "./why-rejected.ts";

/**
 * Who stays where it is: steps 1 and 2 of `placeGroups`. Where nobody who could stay minds another, all of them do, in whatever order
 * they are looked at: then a change concerns only those it names. Where somebody does (`isContested`), order decides, and
 * everything is looked at again with each change, until it is carried out.
 */
export class HomeKeeper {
  readonly #room: MachineRoom;
  /** Single groups that look for a place. */
  readonly waiting = new Set<Sitting>();
  /** In their order. */
  #globals: readonly Sitting[] = [];
  #isContested = false;

  constructor(room: MachineRoom) {
    this.#room = room;
  }

  get globals(): readonly Sitting[] {
    return this.#globals;
  }

  get isContested(): boolean {
    return this.#isContested;
  }

  /** Of every group, by name; the room is empty. `plannedOf`: the machine a plan wants it on. */
  keepAll(sittings: readonly Sitting[], plannedOf: (sitting: Sitting) => number | undefined): void {
    this.#isContested = false;
    this.waiting.clear();
    this.#globals = sittings.filter(({ atom }) => atom.group.global).sort(byLevel);
    for (const { everywhere } of this.#globals) everywhere!.clear();
    for (let machine = 0; machine < this.#room.machines.length; machine += 1) this.placeGlobals(machine);
    const atHome: Sitting[] = [];
    sittings.forEach((sitting) => {
      if (sitting.atom.group.global) return;
      if (sitting.homes.length > 0) atHome.push(sitting);
      else this.#wait(sitting);
    });
    const rank = ({ atom }: Sitting) => (atom.group.move === "never" ? 0 : 1);
    for (const sitting of atHome.sort((a, b) => byLevel(a, b) || rank(a) - rank(b)))
      this.#keepInTurn(sitting, plannedOf);
  }

  /** On a machine where no single group is yet. What is there stays, whatever becomes of the machine; a newcomer needs room among its like. */
  placeGlobals(machine: number): void {
    const room = this.#room;
    for (const { atom, homes, everywhere } of this.#globals) {
      if (!room.candidates(atom).allowed[machine]! || room.minds(atom, machine)) continue;
      if (!homes.includes(machine) && (!room.isOpen(machine) || !room.takes(atom, machine))) continue;
      room.add(atom, machine);
      everywhere!.set(machine, { atom, machine: room.machines[machine]!, number: machine, reason: { code: "global" } });
    }
  }

  /** Of one single group, while nothing is contested: in any order. */
  keep(sitting: Sitting): void {
    const { atom, homes } = sitting;
    const home = homes[0];
    if (home === undefined || (homes.length === 1 && !couldStay(atom, home, this.#room))) {
      this.#wait(sitting);
    } else if (homes.length > 1 || this.#room.minds(atom, home) || this.#room.displaces(atom, home)) {
      this.#isContested = true;
    } else {
      this.#stay(sitting, stayingSeat(atom, home, this.#room));
    }
  }

  /** As if the group were not. */
  lift(sitting: Sitting): void {
    if (sitting.kept !== null) this.#room.remove(sitting.atom, sitting.kept.number);
    sitting.kept = null;
    sitting.seat = null;
    sitting.leaving = null;
    this.waiting.delete(sitting);
  }

  /** Takes every global group from a machine. */
  liftGlobals(machine: number): void {
    for (const { atom, everywhere } of this.#globals) if (everywhere!.delete(machine)) this.#room.remove(atom, machine);
  }

  #keepInTurn(sitting: Sitting, plannedOf: (sitting: Sitting) => number | undefined): void {
    const { atom, homes } = sitting;
    const seat = seatAtHome(sitting, this.#room, () => plannedOf(sitting));
    if (homes.length > 1 || (seat === null && couldStay(atom, homes[0]!, this.#room))) this.#isContested = true;
    if (seat === null) this.#wait(sitting);
    else this.#stay(sitting, seat);
  }

  #stay(sitting: Sitting, seat: NonNullable<Sitting["seat"]>): void {
    this.#room.add(sitting.atom, seat.number);
    sitting.kept = seat;
    sitting.seat = seat;
    sitting.leaving = null;
  }

  #wait(sitting: Sitting): void {
    sitting.kept = null;
    sitting.seat = null;
    sitting.leaving = this.#leavingBecause(sitting);
    this.waiting.add(sitting);
  }

  #leavingBecause({ atom, homes, isFromGoneMachine }: Sitting): Sitting["leaving"] {
    const [home] = homes;
    if (home === undefined) return isFromGoneMachine ? { code: "lost" } : null;
    return whyNotStay(atom, home, this.#room);
  }
}

function whyNotStay(atom: Atom, number: number, room: MachineRoom): Sitting["leaving"] {
  const machine = room.machines[number]!;
  return staticReject(atom, machine) ?? leaveBecause(machine, atom.units) ?? whyMinded(atom, number, room);
}

function byLevel(a: Sitting, b: Sitting): number {
  return a.atom.level - b.atom.level;
}
