import { compareText, type GroupName } from "../names.ts";
import type { ClusterSpec, Group, SpecUnit } from "../spec/cluster-spec.ts";
import { indexGlobs } from "./glob-index.ts";
import { replaceLevels } from "./replace-levels.ts";

/**
 * A group as the placement sees it: its units that are wanted at all, and its relations to others by the number of a glob.
 * Most atoms have no relation, and cost nothing to check.
 */
export interface Atom {
  readonly group: Group;
  /** Sorted by name; never empty, none `inactive`. */
  readonly units: readonly SpecUnit[];
  /** Above those it gives way to; see `ReplaceLevels`. */
  readonly level: number;
  /** Conflict globs its units declare, and those that match its units. */
  readonly shuns: readonly number[];
  readonly shunnedBy: readonly number[];
  /** Replace globs its units declare, and those that match its units. */
  readonly replaces: readonly number[];
  readonly replacedBy: readonly number[];
}

/** Everything of the commit that is to be placed, by group name. */
export function atomsOf(spec: ClusterSpec): Atom[] {
  const units = spec.units.filter((unit) => unit.goal !== "inactive").sort((a, b) => compareText(a.name, b.name));
  const byGroup = new Map<GroupName, SpecUnit[]>();
  for (const unit of units) {
    const members = byGroup.get(unit.group);
    if (members === undefined) byGroup.set(unit.group, [unit]);
    else members.push(unit);
  }
  const conflicts = relations(units, (unit) => unit.options.conflicts);
  const replaces = relations(units, (unit) => unit.options.replaces);
  const replacersOf = (group: GroupName) => {
    const replacers = replaces.by(group).flatMap((glob) => [...replaces.declaring(glob)]);
    return new Set(replacers.filter((replacer) => replacer !== group));
  };
  const names = [...byGroup.keys()].sort();
  const { levelOf, circular } = replaceLevels(names, replacersOf);
  return spec.groups
    .filter((group) => byGroup.has(group.name))
    .sort((a, b) => compareText(a.name, b.name))
    .map((group) => ({
      group,
      units: byGroup.get(group.name)!,
      level: levelOf.get(group.name)!,
      shuns: conflicts.of(group.name),
      shunnedBy: conflicts.by(group.name),
      replaces: circular.has(group.name) ? [] : replaces.of(group.name),
      replacedBy: replaces.by(group.name),
    }));
}

interface Relations {
  /** The globs a group's units declare. */
  of(group: GroupName): readonly number[];
  /** The globs that match a unit of the group. */
  by(group: GroupName): readonly number[];
  /** The groups that declare a glob. */
  declaring(glob: number): ReadonlySet<GroupName>;
}

function relations(units: readonly SpecUnit[], globsOf: (unit: SpecUnit) => readonly string[]): Relations {
  const globs = indexGlobs(
    units.map((unit) => unit.name),
    (unit) => globsOf(units[unit]!),
  );
  const declared = new Map<GroupName, Set<number>>();
  const matched = new Map<GroupName, Set<number>>();
  const declaring = globs.map((glob) => new Set(glob.declaredBy.map((unit) => units[unit]!.group)));
  globs.forEach((glob, number) => {
    for (const unit of glob.declaredBy) add(declared, units[unit]!.group, number);
    for (const unit of glob.matches) add(matched, units[unit]!.group, number);
  });
  return {
    of: (group) => [...(declared.get(group) ?? [])],
    by: (group) => [...(matched.get(group) ?? [])],
    declaring: (glob) => declaring[glob]!,
  };
}

function add(sets: Map<GroupName, Set<number>>, group: GroupName, glob: number): void {
  const set = sets.get(group);
  if (set === undefined) sets.set(group, new Set([glob]));
  else set.add(glob);
}
