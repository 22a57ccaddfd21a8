import type { MachineId, UnitName } from "../names.ts";
import type { Atom } from "./atoms.ts";

/** The machines where units of a group are, by number: most units first, then in the machines' order. Unknown machines are left out. */
export function homesOf(
  atom: Atom,
  machinesOf: (unit: UnitName) => readonly MachineId[],
  numbers: ReadonlyMap<MachineId, number>,
): readonly number[] {
  const units = new Map<number, number>();
  for (const unit of atom.units) {
    for (const machine of machinesOf(unit.name)) {
      const number = numbers.get(machine);
      if (number !== undefined) units.set(number, (units.get(number) ?? 0) + 1);
    }
  }
  return [...units].sort(([a, countA], [b, countB]) => countB - countA || a - b).map(([number]) => number);
}
