import type { Machine } from "../../src/domain/cluster/machine.ts";
import { matchesSelector } from "../../src/domain/cluster/selector.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { PlacementInput } from "../../src/domain/placement/place-groups.ts";
import type { Group, SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { compileGlob } from "../../src/domain/unit/glob.ts";

/**
 * The rules of `placeGroups` again, told as plainly as possible: every pair of units is compared, every machine is tried, nothing
 * is indexed. Assumes that no two groups replace each other in a circle. Returns unit → sorted machine names.
 */
export function naivePlacement(input: PlacementInput): Map<UnitName, string[]> {
  const machines = [...input.machines].sort((a, b) => order(a.name, b.name) || order(a.id, b.id));
  const wanted = input.spec.units.filter((unit) => unit.goal !== "inactive");
  const groups = [...input.spec.groups]
    .sort((a, b) => order(a.name, b.name))
    .filter((group) => unitsOf(group).length > 0);
  const held: { group: Group; machine: Machine }[] = [];

  function unitsOf(group: Group): SpecUnit[] {
    return wanted.filter((unit) => unit.group === group.name);
  }
  function pairs(a: Group, b: Group): [SpecUnit, SpecUnit][] {
    return unitsOf(a).flatMap((x) => unitsOf(b).map((y): [SpecUnit, SpecUnit] => [x, y]));
  }
  function replaces(a: Group, b: Group): boolean {
    return a !== b && pairs(a, b).some(([x, y]) => named(x.options.replaces, y));
  }
  function level(group: Group): number {
    return Math.max(0, ...groups.filter((other) => replaces(other, group)).map((other) => level(other) + 1));
  }
  function allowed(group: Group, machine: Machine): boolean {
    return (
      machine.admitted &&
      unitsOf(group).every(
        ({ options }) =>
          (options.machineId === null || options.machineId === machine.id || options.machineId === machine.name) &&
          options.machineMetadata.every((selector) => matchesSelector(selector, machine)),
      )
    );
  }
  function residents(machine: Machine): Group[] {
    return held.filter((seat) => seat.machine === machine).map((seat) => seat.group);
  }
  function minded(group: Group, machine: Machine): boolean {
    return residents(machine).some(
      (other) =>
        replaces(other, group) ||
        (other.global && replaces(group, other)) ||
        pairs(group, other).some(([x, y]) => named(x.options.conflicts, y) || named(y.options.conflicts, x)),
    );
  }
  function displaced(group: Group, machine: Machine): Group[] {
    return residents(machine).filter((other) => !other.global && replaces(group, other));
  }
  function load(machine: Machine): number {
    return residents(machine).reduce((sum, group) => sum + unitsOf(group).length, 0);
  }
  function isHeld(group: Group): boolean {
    return held.some((seat) => seat.group === group);
  }
  function seat(group: Group, machine: Machine): void {
    for (const other of displaced(group, machine))
      held.splice(
        held.findIndex((one) => one.group === other),
        1,
      );
    held.push({ group, machine });
  }
  function homes(group: Group): Machine[] {
    return byCount(
      machines,
      (machine) => unitsOf(group).filter((unit) => input.current.get(unit.name)?.includes(machine.id)).length,
    );
  }
  function placeAtHome(group: Group): boolean {
    const staying = homes(group).filter(
      (machine) =>
        (group.move === "never" || !shouldLeave(machine)) && allowed(group, machine) && !minded(group, machine),
    );
    const home = staying.find((machine) => machine === plannedFor(group)) ?? staying[0];
    if (home !== undefined) seat(group, home);
    return home !== undefined;
  }
  function plannedFor(group: Group): Machine | undefined {
    return byCount(
      machines,
      (machine) => unitsOf(group).filter((unit) => input.preferred.get(unit.name) === machine.id).length,
    )[0];
  }

  for (const group of sortedBy(
    groups.filter((one) => one.global),
    level,
  )) {
    for (const machine of machines) {
      const may = homes(group).includes(machine) || isOpen(machine);
      if (may && allowed(group, machine) && !minded(group, machine)) held.push({ group, machine });
    }
  }

  const singles = groups.filter((group) => !group.global);
  for (const group of sortedBy(
    sortedBy(singles, (one) => (one.move === "never" ? 0 : 1)),
    level,
  )) {
    placeAtHome(group);
  }

  const leftBehind = new Set<Group>();
  let again = true;
  while (again) {
    again = false;
    for (const group of leftBehind) {
      const index = held.findIndex((one) => one.group === group);
      if (index >= 0) held.splice(index, 1);
    }
    leftBehind.clear();
    for (const now of [...new Set(singles.map(level))].sort((a, b) => a - b)) {
      const waiting = sortedBy(
        singles.filter((group) => level(group) === now && !isHeld(group)),
        (group) => machines.filter((machine) => allowed(group, machine)).length,
      );
      for (const group of waiting) {
        if (placeAtHome(group)) continue;
        const planned = plannedFor(group);
        if (planned !== undefined && isOpen(planned) && allowed(group, planned) && !minded(group, planned))
          seat(group, planned);
      }
      for (const group of waiting.filter((one) => !isHeld(one))) {
        const fitting = machines.filter(
          (machine) => isOpen(machine) && allowed(group, machine) && !minded(group, machine),
        );
        const gentle = fitting.filter((machine) => displaced(group, machine).length === 0);
        const best = sortedBy(gentle.length > 0 ? gentle : fitting, load)[0];
        const left = homes(group).find(
          (machine) => shouldLeave(machine) && allowed(group, machine) && !minded(group, machine),
        );
        const machine = best ?? left;
        if (machine === undefined) continue;
        if (best === undefined) leftBehind.add(group);
        if (displaced(group, machine).length > 0) again = true;
        seat(group, machine);
      }
    }
  }

  const result = new Map<UnitName, string[]>();
  for (const { group, machine } of held) {
    for (const unit of unitsOf(group)) result.set(unit.name, [...(result.get(unit.name) ?? []), machine.id].sort());
  }
  return new Map([...result].sort(([a], [b]) => order(a, b)));
}

function isOpen(machine: Machine): boolean {
  return machine.presence === "present" && !machine.drain && !machine.cordon;
}

function shouldLeave(machine: Machine): boolean {
  return machine.presence === "lost" || machine.drain;
}

function named(globs: readonly string[], unit: SpecUnit): boolean {
  return globs.some((glob) => compileGlob(glob)!(unit.name));
}

function byCount(machines: readonly Machine[], count: (machine: Machine) => number): Machine[] {
  return sortedBy(
    machines.filter((machine) => count(machine) > 0),
    (machine) => -count(machine),
  );
}

/** Stable: what compares equal keeps its order. */
function sortedBy<T>(values: readonly T[], rank: (value: T) => number): T[] {
  return [...values].sort((a, b) => rank(a) - rank(b));
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
