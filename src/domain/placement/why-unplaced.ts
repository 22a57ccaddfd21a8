import { invariant } from "../invariant.ts";
import { compareText } from "../names.ts";
import type { Atom } from "./atoms.ts";
import type { MachineRoom } from "./machine-room.ts";
import { nearestFit } from "./nearest-fit.ts";
import type { RejectReason, Unplaced } from "./placement.ts";
import { closedBecause, staticReject } from "./static-fit.ts";
import { conflictBetween, replacerOf } from "./who-minds.ts";

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

/** Why each machine but those of `except` holds no such group, by code. Asked of a group that none of them can take. */
export function rejections(
  atom: Atom,
  room: MachineRoom,
  except: ReadonlySet<number> = new Set(),
): Unplaced["because"] {
  const byCode = new Map<RejectReason["code"], number[]>();
  room.machines.forEach((_, machine) => {
    if (except.has(machine)) return;
    const code = rejectCode(atom, machine, room);
    const rejecting = byCode.get(code);
    if (rejecting === undefined) byCode.set(code, [machine]);
    else rejecting.push(machine);
  });
  return [...byCode]
    .sort(([codeA, a], [codeB, b]) => b.length - a.length || compareText(codeA, codeB))
    .map(([, rejecting]) => ({
      reason: rejectReason(atom, rejecting[0]!, room),
      count: rejecting.length,
      examples: rejecting.slice(0, EXAMPLES_MAX).map((machine) => room.machines[machine]!.name),
    }));
}

/** Only the code: one for each machine, where the whole reason is built once for each code. */
function rejectCode(atom: Atom, number: number, room: MachineRoom): RejectReason["code"] {
  const machine = room.machines[number]!;
  if (!room.candidates(atom).allowed[number]) return staticReject(atom.units, machine)!.code;
  if (!room.isOpen(number)) return closedBecause(machine)!.code;
  return room.conflicts(atom, number) ? "conflict" : "replaced-by";
}

function rejectReason(atom: Atom, number: number, room: MachineRoom): RejectReason {
  const machine = room.machines[number]!;
  const residents = room.residents(number);
  const because = staticReject(atom.units, machine) ?? closedBecause(machine) ?? conflictBetween(atom, residents);
  if (because !== null) return because;
  const unit = replacerOf(atom, residents);
  invariant(unit !== null, `machine ${machine.id} rejects group ${atom.group.name} for no reason`);
  return { code: "replaced-by", unit };
}
