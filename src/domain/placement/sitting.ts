import type { Machine } from "../cluster/machine.ts";
import { awaitsMachine } from "../loss/may-be-replaced.ts";
import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import type { PlacementReason, RejectReason } from "./placement.ts";
import { leaveBecause } from "./static-fit.ts";

/** One group on one machine. */
export interface Seat {
  readonly atom: Atom;
  readonly machine: Machine;
  /** The machine's number. */
  readonly number: number;
  readonly reason: SeatReason;
}

/** Why the group is there; what it means for one of its units depends on where that unit was. */
export type SeatReason =
  | Extract<PlacementReason, { readonly code: "stayed" | "planned" | "least-loaded" | "only-fit" | "global" }>
  | Extract<PlacementReason, { readonly code: "data-stays" | "awaits-machine" | "nowhere-else" }>
  | { readonly code: "left"; readonly because: RejectReason };

/** A group, where it is now and where it will be. Mutable, and private to a placement. */
export interface Sitting {
  readonly atom: Atom;
  /** Machines where units of it are; see `homesOf`. */
  homes: readonly number[];
  /** Nowhere else than on machines that nobody knows any more. */
  isFromGoneMachine: boolean;
  /** Where it stays from the start on; null: it has to look for a place. */
  kept: Seat | null;
  /** Why it does not stay; null where it is new. */
  leaving: RejectReason | null;
  /** Where it ends up; null: nowhere, or it is global. */
  seat: Seat | null;
  /** Where a global group is, by machine; null: it is single. */
  readonly everywhere: Map<number, Seat> | null;
  /** The group is no more, or another value stands for it. */
  isRemoved: boolean;
}

/** Whether it could stay there if nobody else were there: the machine is allowed, and it need not leave it, or never moves. */
export function couldStay(atom: Atom, number: number, room: MachineRoom): boolean {
  if (!room.candidates(atom).allowed[number]!) return false;
  return atom.group.move === "never" || leaveBecause(room.machines[number]!, atom.units) === null;
}

/** Its seat on a machine where it runs and may stay; of several, on the planned one, or else on the first. */
export function seatAtHome(sitting: Sitting, room: MachineRoom, planned: () => number | undefined): Seat | null {
  const { atom, homes } = sitting;
  const staying = homes.filter((number) => couldStay(atom, number, room) && !room.minds(atom, number));
  const preferred = staying.length > 1 ? planned() : undefined;
  const home = staying.find((number) => number === preferred) ?? staying[0];
  return home === undefined ? null : stayingSeat(atom, home, room);
}

export function stayingSeat(atom: Atom, number: number, room: MachineRoom): Seat {
  const machine = room.machines[number]!;
  return { atom, machine, number, reason: stayReason(atom, machine) };
}

function stayReason(atom: Atom, machine: Machine): SeatReason {
  if (leaveBecause(machine, atom.units) === null) {
    return { code: machine.presence === "lost" && awaitsMachine(atom.units) ? "awaits-machine" : "stayed" };
  }
  return { code: "data-stays", because: atom.group.localState[0]?.because ?? "Move=never" };
}
