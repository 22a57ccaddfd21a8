import type { Atom } from "./atoms.ts";
import { leastLoaded } from "./least-loaded.ts";
import type { MachineRoom } from "./machine-room.ts";
import type { RejectReason } from "./placement.ts";
import { type Seat, type SeatReason, type Sitting, seatAtHome } from "./sitting.ts";
import { leaveBecause } from "./static-fit.ts";
import { replacerOf } from "./who-minds.ts";

/** What the search asks about groups. */
export interface Seekers {
  /** The machine a plan wants the group on. */
  plannedOf(sitting: Sitting): number | undefined;
  sittingOf(atom: Atom): Sitting;
}

/** Finds places for those who do not stay: steps 3 and 4 of `placeGroups`. Everything it does can be undone. */
export class Search {
  readonly #room: MachineRoom;
  readonly #seekers: Seekers;
  /** By level; those who were displaced come to it. */
  readonly #byLevel = new Map<number, Sitting[]>();
  /** Why those left who were displaced. */
  readonly #displaced = new Map<Sitting, RejectReason>();
  /** Who stays, for now, where it should not. */
  readonly #leftBehind = new Set<Sitting>();
  /** Seats that were taken or left, in order of time, and which of them were left. */
  readonly #undo: Seat[] = [];
  readonly #left = new Set<number>();
  #roomWasMade = false;

  constructor(room: MachineRoom, seekers: Seekers) {
    this.#room = room;
    this.#seekers = seekers;
  }

  /**
   * Who is displaced makes room, also for one that was looked at earlier and found none: then those that are not where they
   * should be are looked at again. This ends, because who displaces is on a lower level than who goes.
   */
  run(waiting: ReadonlySet<Sitting>): void {
    waiting.forEach((sitting) => {
      this.#await(sitting);
    });
    do {
      this.#roomWasMade = false;
      for (const sitting of this.#leftBehind) this.#unseat(sitting);
      this.#leftBehind.clear();
      const done = new Set<number>();
      // A level may be new by the time those below it are placed.
      for (let level = this.#next(done); level !== null; level = this.#next(done)) {
        done.add(level);
        this.#placeLevel(level);
      }
    } while (this.#roomWasMade);
  }

  /** Those it found no place for. */
  nowhere(): readonly Sitting[] {
    return [...this.#byLevel.values()].flatMap((sittings) => sittings.filter(({ seat }) => seat === null));
  }

  /** Leaves the room and the groups as they were. */
  undo(): void {
    for (let at = this.#undo.length - 1; at >= 0; at -= 1) {
      const { atom, number } = this.#undo[at]!;
      if (this.#left.has(at)) this.#room.add(atom, number);
      else this.#room.remove(atom, number);
    }
    for (const sittings of this.#byLevel.values()) for (const sitting of sittings) sitting.seat = sitting.kept;
  }

  #await(sitting: Sitting): void {
    const { level } = sitting.atom;
    const others = this.#byLevel.get(level);
    if (others === undefined) this.#byLevel.set(level, [sitting]);
    else others.push(sitting);
  }

  #next(done: ReadonlySet<number>): number | null {
    const levels = [...this.#byLevel.keys()].filter((level) => !done.has(level));
    return levels.length === 0 ? null : Math.min(...levels);
  }

  #placeLevel(level: number): void {
    const inTurn = this.#inTurn(this.#byLevel.get(level)!.filter(({ seat }) => seat === null));
    // Who made it leave may have left since.
    inTurn.forEach((sitting) => {
      if (!this.#placeAtHome(sitting)) this.#placeAsPlanned(sitting);
    });
    inTurn.forEach((sitting) => {
      if (sitting.seat === null) this.#placeFreely(sitting);
    });
  }

  /** Those with the fewest machines to choose from first, then by name. */
  #inTurn(sittings: readonly Sitting[]): readonly Sitting[] {
    const byChoices = new Map<number, Sitting[]>();
    sittings.forEach((sitting) => {
      const { allowedCount } = this.#room.candidates(sitting.atom);
      const others = byChoices.get(allowedCount);
      if (others === undefined) byChoices.set(allowedCount, [sitting]);
      else others.push(sitting);
    });
    return [...byChoices.keys()].sort((a, b) => a - b).flatMap((choices) => byName(byChoices.get(choices)!));
  }

  #placeAtHome(sitting: Sitting): boolean {
    if (sitting.homes.length === 0) return false;
    const seat = seatAtHome(sitting, this.#room, () => this.#seekers.plannedOf(sitting));
    if (seat !== null) this.#seat(sitting, seat.number, seat.reason);
    return seat !== null;
  }

  #placeAsPlanned(sitting: Sitting): void {
    const planned = this.#seekers.plannedOf(sitting);
    if (planned === undefined || !this.#room.isOpen(planned)) return;
    const { atom } = sitting;
    if (!this.#room.candidates(atom).allowed[planned]! || !this.#room.takes(atom, planned)) return;
    this.#seat(sitting, planned, this.#leavingReason(sitting) ?? { code: "planned" });
  }

  #placeFreely(sitting: Sitting): void {
    const { atom } = sitting;
    const { open, allowedCount } = this.#room.candidates(atom);
    const best = leastLoaded(atom, this.#room);
    if (best !== null) {
      const chosen: SeatReason =
        allowedCount === 1
          ? { code: "only-fit" }
          : { code: "least-loaded", load: this.#room.load[best]!, fitting: open.length };
      this.#seat(sitting, best, this.#leavingReason(sitting) ?? chosen);
      return;
    }
    const home = sitting.homes.find((machine) => this.#mayBeLeftAt(atom, machine));
    if (home === undefined) return;
    const because = leaveBecause(this.#room.machines[home]!, atom.units)!;
    this.#seat(sitting, home, { code: "nowhere-else", because });
    this.#leftBehind.add(sitting);
  }

  #mayBeLeftAt(atom: Atom, machine: number): boolean {
    const leaves = leaveBecause(this.#room.machines[machine]!, atom.units) !== null;
    return leaves && this.#room.candidates(atom).allowed[machine]! && !this.#room.minds(atom, machine);
  }

  #seat(sitting: Sitting, number: number, reason: SeatReason): void {
    const { atom } = sitting;
    if (atom.replaces.length > 0) this.#displace(atom, number);
    this.#room.add(atom, number);
    const seat: Seat = { atom, machine: this.#room.machines[number]!, number, reason };
    this.#undo.push(seat);
    sitting.seat = seat;
  }

  /** Those displaced are looked at again when their level comes, which is above this one's. */
  #displace(atom: Atom, number: number): void {
    for (const resident of this.#room.displaced(atom, number)) {
      const sitting = this.#seekers.sittingOf(resident);
      this.#unseat(sitting);
      this.#leftBehind.delete(sitting);
      if (sitting.kept !== null && !this.#displaced.has(sitting)) this.#await(sitting);
      this.#roomWasMade = true;
      this.#displaced.set(sitting, { code: "replaced-by", unit: replacerOf(resident, [atom])! });
    }
  }

  #unseat(sitting: Sitting): void {
    const seat = sitting.seat!;
    this.#room.remove(seat.atom, seat.number);
    this.#left.add(this.#undo.push(seat) - 1);
    sitting.seat = null;
  }

  #leavingReason(sitting: Sitting): SeatReason | null {
    const because = this.#displaced.get(sitting) ?? sitting.leaving;
    return because === null ? null : { code: "left", because };
  }
}

function byName(sittings: readonly Sitting[]): readonly Sitting[] {
  const nameOf = ({ atom }: Sitting) => atom.group.name;
  const isInOrder = sittings.every((sitting, at) => at === 0 || nameOf(sittings[at - 1]!) < nameOf(sitting));
  return isInOrder ? sittings : [...sittings].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
