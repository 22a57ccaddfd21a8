import { invariant } from "../invariant.ts";
import { compareText } from "../names.ts";
import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import { nearestFit } from "./nearest-fit.ts";
import type { RejectReason, Unplaced } from "./placement.ts";
import { isRoomier, whyRejected } from "./why-rejected.ts";

/** How many machines are named for each reason: enough to recognise them, and a cluster of thousands stays readable. */
const EXAMPLES_MAX = 3;

/** A screen shows no more of them, and each one asks every machine for everything. */
const NEAREST_MAX = 50;

/** Machines that may take the group again without a change of the commit's constraints: it waits for them. */
const PASSING: ReadonlySet<RejectReason["code"]> = new Set(["lost", "absent", "drained", "cordoned", "flapping"]);

/**
 * Why no machine holds these groups, after everything else was placed. Sorted by group. Where there is no machine at all, every
 * group waits: nobody can say yet that none will ever do. So does a global group: it is for whichever machine will match.
 */
export function whyUnplaced(atoms: readonly Atom[], room: MachineRoom): Unplaced[] {
  return atoms.map((atom, index) => {
    const because = rejections(atom, room);
    const waits = atom.group.global || because.length === 0 || because.some(({ reason }) => PASSING.has(reason.code));
    return {
      group: atom.group.name,
      units: atom.units.map((unit) => unit.name),
      kind: waits ? "waiting" : "unplaceable",
      because,
      nearest: waits || index >= NEAREST_MAX ? null : nearestFit(atom, room),
    };
  });
}

/**
 * Why each machine but those of `except` holds no such group, by kind of reason; of machines without room the one with the most is told of.
 * Asked of a group that none of them can take.
 */
export function rejections(
  atom: Atom,
  room: MachineRoom,
  except: ReadonlySet<number> = new Set(),
): Unplaced["because"] {
  const byKind = new Map<string, { reason: RejectReason; readonly machines: number[] }>();
  room.machines.forEach((_, machine) => {
    if (except.has(machine)) return;
    const reason = whyRejected(atom, machine, room);
    invariant(reason !== null, `machine ${room.machines[machine]!.id} rejects group ${atom.group.name} for no reason`);
    const kind = kindOf(reason);
    const rejecting = byKind.get(kind);
    if (rejecting === undefined) byKind.set(kind, { reason, machines: [machine] });
    else {
      rejecting.machines.push(machine);
      if (isMoreTelling(reason, rejecting.reason)) rejecting.reason = reason;
    }
  });
  return [...byKind]
    .sort(([kindA, a], [kindB, b]) => b.machines.length - a.machines.length || compareText(kindA, kindB))
    .map(([, { reason, machines }]) => ({
      reason,
      count: machines.length,
      examples: machines.slice(0, EXAMPLES_MAX).map((machine) => room.machines[machine]!.name),
    }));
}

/** What people do about it differs: about a full machine and one that is too small, about a zone that is taken and none. */
function kindOf(reason: RejectReason): string {
  switch (reason.code) {
    case "no-room":
      return `no-room ${reason.resource}${reason.wanted > reason.capacity ? " ever" : ""}`;
    case "spread":
      return `spread ${reason.key}${reason.value === null ? " unknown" : ""}`;
    default:
      return reason.code;
  }
}

function isMoreTelling(reason: RejectReason, known: RejectReason): boolean {
  return reason.code === "no-room" && known.code === "no-room" && isRoomier(reason, known);
}
