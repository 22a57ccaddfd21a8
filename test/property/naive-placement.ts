import type { Machine } from "../../src/domain/cluster/machine.ts";
import { matchesSelector } from "../../src/domain/cluster/selector.ts";
import type { UnitName } from "../../src/domain/names.ts";
import type { PlacementInput } from "../../src/domain/placement/place-groups.ts";
import type { Group, SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { compileGlob } from "../../src/domain/unit/glob.ts";
import { replicaSetOf } from "../../src/domain/unit/replica-set-of.ts";

export interface NaivePlacement {
  /** Unit → sorted machine ids; sorted by unit. */
  readonly places: ReadonlyMap<UnitName, readonly string[]>;
  /** Group → why each machine does not take it, sorted; sorted by group. */
  readonly unplaced: readonly (readonly [group: string, because: readonly string[]])[];
}

/**
 * The rules of `placeGroups` again, told as plainly as possible: every pair of units is compared, every machine is tried, nothing
 * is indexed. Assumes that no two groups replace each other in a circle.
 */
export function naivePlacement(input: PlacementInput): NaivePlacement {
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
    const hasKeys = sets(group).every((set) =>
      rules(set).keys.every((key) => group.global || !rules(set).isHard(key) || key in machine.metadata),
    );
    return (
      machine.admitted &&
      hasKeys &&
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
    const isMinded = residents(machine).some(
      (other) =>
        replaces(other, group) ||
        (other.global && replaces(group, other)) ||
        pairs(group, other).some(([x, y]) => named(x.options.conflicts, y) || named(y.options.conflicts, x)),
    );
    return isMinded || crowds(group, machine);
  }
  function shouldLeave(group: Group, machine: Machine): boolean {
    const { graces } = machine;
    const isOver = ({ replace }: SpecUnit) =>
      replace === "no"
        ? false
        : replace === undefined
          ? (graces?.cluster ?? true)
          : replace.afterMs <= (graces?.ownMs ?? Infinity);
    return machine.drain || (machine.presence === "lost" && unitsOf(group).every(isOver));
  }
  function takes(group: Group, machine: Machine): boolean {
    return isOpen(machine) && allowed(group, machine) && !minded(group, machine) && hasRoom(group, machine);
  }
  function replicas(group: Group, set: string): SpecUnit[] {
    return unitsOf(group).filter((unit) => replicaSetOf(unit.name) === set);
  }
  function rules(set: string) {
    const options = wanted.filter((unit) => replicaSetOf(unit.name) === set).map((unit) => unit.options);
    const spreads = options.flatMap(({ spread }) => spread ?? []);
    return {
      limit: Math.min(...options.map((one) => one.maxPerMachine ?? Number.POSITIVE_INFINITY)),
      keys: [...new Set(spreads.map(({ key }) => key))],
      isHard: (key: string) => spreads.some((spread) => spread.key === key && spread.hard),
    };
  }
  function sets(group: Group): string[] {
    return [...new Set(unitsOf(group).map((unit) => replicaSetOf(unit.name)))];
  }
  /** Single replicas of a set on machines with the same value as this one, or like it without any. */
  function beside(set: string, key: string, machine: Machine): number {
    const there = held.filter((one) => !one.group.global && one.machine.metadata[key] === machine.metadata[key]);
    return there.reduce((sum, one) => sum + replicas(one.group, set).length, 0);
  }
  function crowds(group: Group, machine: Machine): boolean {
    return sets(group).some((set) => {
      const there = residents(machine).reduce((sum, other) => sum + replicas(other, set).length, 0);
      if (there + replicas(group, set).length > rules(set).limit) return true;
      const { keys, isHard } = rules(set);
      const isAlone = (key: string) => beside(set, key, machine) + replicas(group, set).length <= 1;
      return !group.global && keys.some((key) => isHard(key) && !isAlone(key));
    });
  }
  function neighbours(group: Group, machine: Machine): number {
    if (group.global) return 0;
    const counts = sets(group).flatMap((set) => rules(set).keys.map((key) => beside(set, key, machine)));
    return counts.reduce((sum, count) => sum + count, 0);
  }
  /** Those it displaces make room. */
  function hasRoom(group: Group, machine: Machine): boolean {
    const staying = residents(machine).filter((other) => !displaced(group, machine).includes(other));
    return (["cpuMilli", "memoryBytes"] as const).every((resource) => {
      const asked = (one: Group) => unitsOf(one).reduce((sum, unit) => sum + (unit.requests?.[resource] ?? 0), 0);
      const used = staying.reduce((sum, other) => sum + asked(other), 0);
      return asked(group) === 0 || used + asked(group) <= (machine.capacity?.[resource] ?? Number.POSITIVE_INFINITY);
    });
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
        (group.move === "never" || !shouldLeave(group, machine)) && allowed(group, machine) && !minded(group, machine),
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
      const stays = homes(group).includes(machine) && allowed(group, machine) && !minded(group, machine);
      if (stays || takes(group, machine)) held.push({ group, machine });
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
        if (planned !== undefined && takes(group, planned)) seat(group, planned);
      }
      for (const group of waiting.filter((one) => !isHeld(one))) {
        const fitting = machines.filter((machine) => takes(group, machine));
        const gentle = fitting.filter((machine) => displaced(group, machine).length === 0);
        const best = sortedBy(sortedBy(gentle.length > 0 ? gentle : fitting, load), (one) => neighbours(group, one))[0];
        const left = homes(group).find(
          (machine) => shouldLeave(group, machine) && allowed(group, machine) && !minded(group, machine),
        );
        const machine = best ?? left;
        if (machine === undefined) continue;
        if (best === undefined) leftBehind.add(group);
        if (displaced(group, machine).length > 0) again = true;
        seat(group, machine);
      }
    }
  }

  /** The first reason why a machine takes no such newcomer. */
  function reject(group: Group, machine: Machine): string {
    const options = unitsOf(group).map((unit) => unit.options);
    const isHere = ({ machineId }: SpecUnit["options"]) =>
      machineId === null || [machine.id, machine.name].includes(machineId);
    const meets = (one: SpecUnit["options"]) =>
      one.machineMetadata.every((selector) => matchesSelector(selector, machine));
    const others = residents(machine);
    const isLarge = (["cpuMilli", "memoryBytes"] as const).every((resource) => {
      const asked = unitsOf(group).reduce((sum, unit) => sum + (unit.requests?.[resource] ?? 0), 0);
      return asked === 0 || asked <= (machine.capacity?.[resource] ?? Number.POSITIVE_INFINITY);
    });
    const isBeyondLimit = sets(group).some((set) => {
      const there = others.reduce((sum, other) => sum + replicas(other, set).length, 0);
      return there + replicas(group, set).length > rules(set).limit;
    });
    const conflicts = others.some(
      (other) =>
        (other.global && replaces(group, other)) ||
        pairs(group, other).some(([x, y]) => named(x.options.conflicts, y) || named(y.options.conflicts, x)),
    );
    if (!machine.admitted) return "not-admitted";
    if (!options.every(isHere)) return "other-machine";
    if (!options.every(meets)) return "metadata";
    if (!allowed(group, machine)) return "spread";
    if (!isLarge) return "no-room";
    if (machine.presence !== "present") return machine.presence;
    if (machine.drain) return "drained";
    if (machine.cordon) return "cordoned";
    if (machine.flapping) return "flapping";
    if (conflicts) return "conflict";
    if (others.some((other) => replaces(other, group))) return "replaced-by";
    if (isBeyondLimit) return "max-per-machine";
    return crowds(group, machine) ? "spread" : "no-room";
  }

  const unplaced = groups
    .filter((group) => !isHeld(group))
    .map((group): [string, string[]] => [group.name, machines.map((machine) => reject(group, machine)).sort(order)]);
  const result = new Map<UnitName, string[]>();
  for (const { group, machine } of held) {
    for (const unit of unitsOf(group)) result.set(unit.name, [...(result.get(unit.name) ?? []), machine.id].sort());
  }
  return { places: new Map([...result].sort(([a], [b]) => order(a, b))), unplaced };
}

function isOpen(machine: Machine): boolean {
  return machine.presence === "present" && !machine.drain && !machine.cordon && !machine.flapping;
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
