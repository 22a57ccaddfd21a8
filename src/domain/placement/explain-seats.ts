import type { Machine } from "../cluster/machine.ts";
import { compareText, type GroupName, type MachineId } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type Atom, atomsOf } from "./atoms.ts";
import { MachineRoom } from "./machine-room.ts";
import type { Placement, RejectReason, Unplaced } from "./placement.ts";
import { whyRejected } from "./why-rejected.ts";
import { rejections } from "./why-unplaced.ts";

/** How many machines are named that would do as well. */
const EXAMPLES_MAX = 3;

/** The other machines, from one group's point of view, as everything stands. */
export interface OtherMachines {
  readonly rejected: Unplaced["because"];
  /** Machines that would take it: how many, and the first by name. */
  readonly fitting: { readonly count: number; readonly examples: readonly string[] };
}

export interface SeatExplainer {
  /** Null: it is no group of the commit, or none that is to be placed. */
  readonly othersOf: (group: GroupName) => OtherMachines | null;
  /** Why the group is not on that machine, where it is not; null: nothing keeps it from there. */
  readonly rejectOn: (group: GroupName, machine: MachineId) => RejectReason | null;
}

/** Answers, for one group after another, why it is not on the machines where it is not. `placements` as `placeUnits` gives them. */
export function explainSeats(
  spec: ClusterSpec,
  machines: readonly Machine[],
  placements: readonly Placement[],
): SeatExplainer {
  const sorted = [...machines].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
  const numbers = new Map(sorted.map(({ id }, number) => [id, number]));
  const room = new MachineRoom(sorted);
  const atoms = new Map(atomsOf(spec).map((atom) => [atom.group.name, atom]));
  const seats = new Map<GroupName, Set<MachineId>>();
  const groupOf = new Map(spec.units.map(({ name, group }) => [name, group]));
  for (const { unit, machine } of placements) {
    const group = groupOf.get(unit)!;
    const known = seats.get(group);
    if (known === undefined) seats.set(group, new Set([machine]));
    else known.add(machine);
  }
  for (const [group, homes] of seats) for (const machine of homes) room.add(atoms.get(group)!, numbers.get(machine)!);

  const homesOf = (atom: Atom) => [...(seats.get(atom.group.name) ?? [])].map((machine) => numbers.get(machine)!);
  /** Where it is, it keeps itself away from nowhere. */
  const without = <T>(atom: Atom, ask: () => T): T => {
    for (const number of homesOf(atom)) room.remove(atom, number);
    const answer = ask();
    for (const number of homesOf(atom)) room.add(atom, number);
    return answer;
  };
  const rejectOn: SeatExplainer["rejectOn"] = (name, machine) => {
    const atom = atoms.get(name);
    const number = numbers.get(machine);
    if (atom === undefined || number === undefined) return null;
    return without(atom, () => whyRejected(atom, number, room));
  };
  const othersOf: SeatExplainer["othersOf"] = (name) => {
    const atom = atoms.get(name);
    if (atom === undefined) return null;
    const homes = new Set(homesOf(atom));
    return without(atom, () => {
      const others = sorted.map((_, number) => number).filter((number) => !homes.has(number));
      const fitting = others.filter((number) => whyRejected(atom, number, room) === null);
      return {
        rejected: rejections(atom, room, new Set([...homes, ...fitting])),
        fitting: {
          count: fitting.length,
          examples: fitting.slice(0, EXAMPLES_MAX).map((number) => sorted[number]!.name),
        },
      };
    });
  };
  return { othersOf, rejectOn };
}
