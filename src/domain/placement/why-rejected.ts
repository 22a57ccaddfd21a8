import type { Resource, Resources } from "../cluster/resources.ts";
import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import type { RejectReason } from "./placement.ts";
import { closedBecause, lackedCapability, staticReject } from "./static-fit.ts";
import { conflictBetween, replacerOf } from "./who-minds.ts";

/**
 * Why this machine takes no such newcomer as things stand; null: it would. In the order in which reasons are looked at: what the commit
 * says, whether the machine can run it and is large enough at all, what it is, who is there, how many of a set are, what room is left.
 */
export function whyRejected(atom: Atom, number: number, room: MachineRoom): RejectReason | null {
  const machine = room.machines[number]!;
  const fixed = room.candidates(atom).allowed[number]! ? null : staticReject(atom, machine);
  if (fixed !== null) return fixed;
  if (!room.candidates(atom).capable[number]!) return lackedCapability(atom.units, machine);
  const lack = noRoom(atom, number, room);
  if (lack !== null && lack.wanted > lack.capacity) return lack;
  const closed = room.isOpen(number) ? null : closedBecause(machine);
  return closed ?? whyMinded(atom, number, room) ?? lack;
}

/** Why whoever is there, or on machines like it, keeps this group away; null: nobody does. */
export function whyMinded(atom: Atom, number: number, room: MachineRoom): RejectReason | null {
  const [first] = minding(atom, number, room);
  return first ?? null;
}

/** Everything of that; one after the other, for whoever asks for the first only. */
export function* minding(atom: Atom, number: number, room: MachineRoom): Generator<RejectReason> {
  const residents = room.residents(number);
  const conflict = room.conflicts(atom, number) ? conflictBetween(atom, residents) : null;
  if (conflict !== null) yield conflict;
  const unit = room.givesWay(atom, number) ? replacerOf(atom, residents) : null;
  if (unit !== null) yield { code: "replaced-by", unit };
  const crowded = room.replicas.overLimit(atom, number);
  if (crowded !== null) yield { code: "max-per-machine", set: crowded.set, limit: crowded.limit! };
  const clash = room.replicas.clash(atom, number);
  if (clash === null) return;
  const values = room.replicas.values(clash.key);
  yield { code: "spread", set: clash.rules.set, key: clash.key, value: values.names[values.of[number]!]! };
}

/** Why there is too little left of what the group asks for; null: there is enough. What the machine never had comes first. */
export function noRoom(atom: Atom, number: number, room: MachineRoom): NoRoom | null {
  const { capacity } = room.machines[number]!;
  if (capacity === undefined) return null;
  const resource = neverHad(atom.requests, capacity) ?? room.lacks(atom, number);
  if (resource === null) return null;
  const free = room.freeFor(atom, resource, number);
  return resource === "cpu"
    ? { code: "no-room", resource, wanted: atom.requests.cpuMilli, free, capacity: capacity.cpuMilli }
    : { code: "no-room", resource, wanted: atom.requests.memoryBytes, free, capacity: capacity.memoryBytes };
}

function neverHad(requests: Resources, capacity: Resources): Resource | null {
  if (requests.cpuMilli > capacity.cpuMilli) return "cpu";
  return requests.memoryBytes > capacity.memoryBytes ? "memory" : null;
}

export type NoRoom = Extract<RejectReason, { readonly code: "no-room" }>;

/** Whether the machine of the first comes nearer to having room than that of the second. */
export function isRoomier(a: NoRoom, b: NoRoom): boolean {
  const [isLarge, isOtherLarge] = [a.wanted <= a.capacity, b.wanted <= b.capacity];
  if (isLarge !== isOtherLarge) return isLarge;
  return isLarge ? a.free / a.wanted > b.free / b.wanted : a.capacity / a.wanted > b.capacity / b.wanted;
}
