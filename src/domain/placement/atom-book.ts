import { compareText, type GroupName } from "../names.ts";
import type { ClusterSpec, Group, SpecUnit } from "../spec/cluster-spec.ts";
import { compileGlob } from "../unit/glob.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { Atom } from "./atoms.ts";
import { GlobBook } from "./glob-book.ts";
import { difference, inOrder, named } from "./in-order.ts";
import { isSameWish } from "./is-same-wish.ts";
import { replaceLevels } from "./replace-levels.ts";
import {
  isSameRules,
  type ReplicaRules,
  type ReplicaSpread,
  replicaRules,
  replicasOf,
  spreadsOf,
} from "./replica-rules.ts";
import { staticKey } from "./static-fit.ts";

/**
 * Which atoms a new commit makes, and which of the old are no more. Whatever is in neither is the very object it was; its units are then those
 * of an older commit, which wish for the same and may have another text.
 */
export interface AtomChange {
  readonly removed: readonly Atom[];
  readonly added: readonly Atom[];
}

/**
 * The atoms of one commit after the other. Whoever goes through all of a cluster once, here and in the rest of placement, gives `forEach` a
 * function: a loop of ten thousand turns is compiled while it runs, with everything that is called in it, and anew for each kind of unit
 * it comes upon; of the first placement of a process, as `fleet plan` makes it, that was a fifth.
 * What did not change is not looked at again: of ten thousand units a commit changes a few.
 * Where it changes many, or levels of `Replaces=` may move, all are made anew. They are the same as a new book's but for the numbers of globs.
 */
export class AtomBook {
  #spec: ClusterSpec | null = null;
  #units: readonly SpecUnit[] = [];
  #groups: readonly Group[] = [];
  #atoms = new Map<GroupName, Atom>();
  #rules = new Map<string, ReplicaRules>();
  #conflicts = new GlobBook();
  #replaces = new GlobBook();

  /** By group name. */
  atoms(): readonly Atom[] {
    return this.#groups.map(({ name }) => this.#atoms.get(name)).filter((atom) => atom !== undefined);
  }

  atomOf(group: GroupName): Atom | undefined {
    return this.#atoms.get(group);
  }

  /** Sorted by name; also those that are `inactive`. */
  get units(): readonly SpecUnit[] {
    return this.#units;
  }

  /** Null where every atom is a new one. */
  update(spec: ClusterSpec): AtomChange | null {
    if (spec === this.#spec) return UNCHANGED;
    const [units, groups] = [this.#units, this.#groups];
    const isFirst = this.#spec === null;
    this.#spec = spec;
    this.#units = inOrder(spec.units, units);
    this.#groups = inOrder(spec.groups, groups);
    const change = isFirst ? null : this.#follow(units, groups);
    if (change === null) this.#makeAll();
    return change;
  }

  #follow(units: readonly SpecUnit[], groups: readonly Group[]): AtomChange | null {
    const dirty = new Set<GroupName>();
    const [gone, come]: [SpecUnit[], SpecUnit[]] = [[], []];
    difference(units, this.#units, (old, now) => {
      if (old !== null && now !== null && isSameWish(old, now)) return;
      if (old !== null && old.goal !== "inactive") gone.push(old);
      if (now !== null && now.goal !== "inactive") come.push(now);
    });
    if (gone.length + come.length > FEW + this.#units.length / MANY) return null;
    for (const { group } of [...gone, ...come]) dirty.add(group);
    difference(groups, this.#groups, (old, now) => {
      if (old === null || now === null || !isSameGroup(old, now)) dirty.add((old ?? now)!.name);
    });
    for (const { options } of come) {
      const touch = (glob: string) => this.#touchMatched(glob, dirty);
      this.#conflicts.numbersOf(options.conflicts, touch);
      this.#replaces.numbersOf(options.replaces, touch);
    }
    this.#touchReplicas([...gone, ...come], dirty);
    const removed = [...dirty].flatMap((name) => this.#atoms.get(name) ?? []);
    const added = [...dirty].sort().flatMap((name) => {
      const group = named(this.#groups, name);
      return group === null ? [] : (this.#atomOf(group, named(this.#units, name)) ?? []);
    });
    // Who may have to be decided before whom is a matter of all of them.
    if ([...removed, ...added].some(({ replaces, replacedBy }) => replaces.length + replacedBy.length > 0)) return null;
    for (const { group } of removed) this.#atoms.delete(group.name);
    for (const atom of added) this.#atoms.set(atom.group.name, atom);
    return { removed, added };
  }

  #touchMatched(glob: string, dirty: Set<GroupName>): void {
    const matches = compileGlob(glob);
    if (matches === null) return;
    for (const { name, group } of this.#units) if (matches(name)) dirty.add(group);
  }

  /** Where what a set asks for is no longer the same, all of its units are concerned. */
  #touchReplicas(changed: readonly SpecUnit[], dirty: Set<GroupName>): void {
    const asking = changed.filter(({ options }) => options.spread !== undefined || options.maxPerMachine !== undefined);
    for (const set of new Set(asking.map(({ name }) => replicaSetOf(name)))) {
      const units = this.#units.filter((unit) => unit.goal !== "inactive" && replicaSetOf(unit.name) === set);
      const rules = replicaRules(units).get(set);
      if (isSameRules(this.#rules.get(set), rules)) continue;
      if (rules === undefined) this.#rules.delete(set);
      else this.#rules.set(set, rules);
      for (const { group } of units) dirty.add(group);
    }
  }

  #makeAll(): void {
    const wanted = this.#units.filter((unit) => unit.goal !== "inactive");
    this.#rules = replicaRules(wanted);
    this.#conflicts = new GlobBook();
    this.#replaces = new GlobBook();
    wanted.forEach(({ options }) => {
      if (options.conflicts.length > 0) this.#conflicts.numbersOf(options.conflicts, ignore);
      if (options.replaces.length > 0) this.#replaces.numbersOf(options.replaces, ignore);
    });
    this.#atoms = new Map();
    let at = 0;
    this.#groups.forEach((group) => {
      // A group bears its first unit's name, and both lists are in order.
      while (at < this.#units.length && compareText(this.#units[at]!.name, group.name) < 0) at += 1;
      const first = this.#units[at];
      const atom = this.#atomOf(group, first?.group === group.name ? first : null);
      if (atom !== null) this.#atoms.set(group.name, atom);
    });
    this.#level();
  }

  /** On level 0, where all are that have to do with no `Replaces=`. Null where nothing of the group is wanted. */
  #atomOf(group: Group, first: SpecUnit | null): Atom | null {
    const units =
      group.units.length === 1
        ? wantedUnit(first)
        : group.units.flatMap((name) => wantedUnit(named(this.#units, name)));
    if (units.length === 0) return null;
    const replicas = replicasOf(units, this.#rules);
    const spreads = group.global || replicas.length === 0 ? NO_SPREADS : spreadsOf(replicas);
    const shuns = declared(units, "conflicts", this.#conflicts);
    const shunnedBy = matching(units, this.#conflicts);
    const replaces = declared(units, "replaces", this.#replaces);
    const replacedBy = matching(units, this.#replaces);
    return {
      group,
      units,
      level: 0,
      staticKey: staticKey(units, spreads),
      shuns,
      shunnedBy,
      replaces,
      replacedBy,
      hasRelations: shuns.length + shunnedBy.length + replaces.length + replacedBy.length > 0,
      requests: requestsOf(units),
      replicas,
      spreads,
    };
  }

  #level(): void {
    const related = [...this.#atoms.values()].filter(
      ({ replaces, replacedBy }) => replaces.length + replacedBy.length > 0,
    );
    if (related.length === 0) return;
    const declaring = new Map<number, GroupName[]>();
    for (const { group, replaces } of related) {
      for (const glob of replaces) declaring.set(glob, [...(declaring.get(glob) ?? []), group.name]);
    }
    const { levelOf, circular } = replaceLevels(
      related.map(({ group }) => group.name),
      (name) => {
        const replacers = this.#atoms.get(name)!.replacedBy.flatMap((glob) => declaring.get(glob) ?? []);
        return new Set(replacers.filter((replacer) => replacer !== name));
      },
    );
    for (const atom of related) {
      const { name } = atom.group;
      const replaces = circular.has(name) ? NO_NUMBERS : atom.replaces;
      this.#atoms.set(name, { ...atom, level: levelOf.get(name)!, replaces });
    }
  }
}

/** With more than one unit in so many changed, making all atoms anew is no more work than following; below a few it does not matter. */
const MANY = 8;
const FEW = 16;
const NO_NUMBERS: readonly number[] = [];
const NO_SPREADS: readonly ReplicaSpread[] = [];
const NO_UNITS: readonly SpecUnit[] = [];
const NOTHING: Atom["requests"] = { cpuMilli: 0, memoryBytes: 0 };
const UNCHANGED: AtomChange = { removed: [], added: [] };

function ignore(): void {}

function wantedUnit(unit: SpecUnit | null): readonly SpecUnit[] {
  return unit === null || unit.goal === "inactive" ? NO_UNITS : [unit];
}

/** What placement reads of a group. */
function isSameGroup(a: Group, b: Group): boolean {
  return (
    a.global === b.global &&
    a.move === b.move &&
    a.localState[0]?.because === b.localState[0]?.because &&
    a.units.length === b.units.length &&
    a.units.every((unit, index) => unit === b.units[index])
  );
}

/** The globs that units declare. Most declare none: then no list is made. */
function declared(units: readonly SpecUnit[], option: "conflicts" | "replaces", book: GlobBook): readonly number[] {
  let all = NO_NUMBERS;
  for (const { options } of units) {
    if (options[option].length > 0) all = union(all, book.numbersOf(options[option], ignore));
  }
  return all;
}

/** The globs that match units. */
function matching(units: readonly SpecUnit[], book: GlobBook): readonly number[] {
  if (book.isEmpty) return NO_NUMBERS;
  let all = NO_NUMBERS;
  for (const { name } of units) all = union(all, book.matching(name));
  return all;
}

function union(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : [...new Set([...a, ...b])];
}

function requestsOf(units: readonly SpecUnit[]): Atom["requests"] {
  if (units.length === 1) return units[0]!.requests ?? NOTHING;
  let [cpuMilli, memoryBytes] = [0, 0];
  for (const { requests = NOTHING } of units) {
    cpuMilli += requests.cpuMilli;
    memoryBytes += requests.memoryBytes;
  }
  return { cpuMilli, memoryBytes };
}
