import type { GroupName } from "../names.ts";

/** Which groups must be decided before which, because `Replaces=` gives one the other's machine. */
export interface ReplaceLevels {
  /** 0 for a group that gives way to nobody; every group stands above all it gives way to. */
  readonly levelOf: ReadonlyMap<GroupName, number>;
  /** Groups whose `Replaces=` counts for nothing, because following it leads back to the group. */
  readonly circular: ReadonlySet<GroupName>;
}

/**
 * Puts groups on levels. Two units that replace each other are refused when the commit is compiled; a circle through several
 * units of several groups may still arrive here, and an engine must not fail on it: such groups, and those that give
 * way to them, come last and replace nobody.
 */
export function replaceLevels(
  groups: readonly GroupName[],
  replacersOf: (group: GroupName) => ReadonlySet<GroupName>,
): ReplaceLevels {
  const levelOf = new Map<GroupName, number>();
  let open = [...groups];
  for (let level = 0; open.length > 0; level += 1) {
    const ready = open.filter((group) => [...replacersOf(group)].every((replacer) => levelOf.has(replacer)));
    if (ready.length === 0) {
      for (const group of open) levelOf.set(group, level);
      return { levelOf, circular: new Set(open) };
    }
    for (const group of ready) levelOf.set(group, level);
    open = open.filter((group) => !levelOf.has(group));
  }
  return { levelOf, circular: new Set() };
}
