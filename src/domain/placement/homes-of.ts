import type { MachineId, UnitName } from "../names.ts";
import type { Atom } from "./atoms.ts";

/** The machines where units of a group are, by number: most units first, then in the machines' order. Unknown machines are left out. */
export function homesOf(
  { units }: Atom,
  machinesOf: (unit: UnitName) => readonly MachineId[] | undefined,
  numbers: ReadonlyMap<MachineId, number>,
): readonly number[] {
  if (units.length === 1) {
    const machines = machinesOf(units[0]!.name) ?? NOWHERE;
    if (machines.length === 0) return NOWHERE;
    if (machines.length === 1) {
      const number = numbers.get(machines[0]!);
      return number === undefined ? NOWHERE : [number];
    }
  }
  const counts = new Map<number, number>();
  for (const unit of units) {
    for (const machine of machinesOf(unit.name) ?? NOWHERE) {
      const number = numbers.get(machine);
      if (number !== undefined) counts.set(number, (counts.get(number) ?? 0) + 1);
    }
  }
  return [...counts].sort(([a, countA], [b, countB]) => countB - countA || a - b).map(([number]) => number);
}

const NOWHERE: readonly never[] = [];
