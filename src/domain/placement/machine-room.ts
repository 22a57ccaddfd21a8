import type { Machine } from "../cluster/machine.ts";
import type { Atom } from "./atoms.ts";
import { closedBecause, staticKey, staticReject } from "./static-fit.ts";

/** The machines a kind of group may ever use, and those of them that are open to newcomers now; by machine number. */
export interface Candidates {
  /** Whether the commit allows each machine. */
  readonly allowed: readonly boolean[];
  readonly allowedCount: number;
  readonly open: readonly number[];
}

/**
 * The machines while groups are being put on them: how full each is, and who there minds whom. Machines go by their number
 * in the given order, which is the order of every tie-break. Mutable, and private to one placement.
 */
export class MachineRoom {
  readonly machines: readonly Machine[];
  /** Units on each machine, globals included. */
  readonly load: Int32Array;
  readonly #open: readonly boolean[];
  readonly #candidates = new Map<string, Candidates>();
  readonly #residents: readonly Set<Atom>[];
  /** For each machine, per number of a glob: how many atoms there declare it, and how many it matches. */
  readonly #shunning: readonly Map<number, number>[];
  readonly #shunned: readonly Map<number, number>[];
  readonly #replacing: readonly Map<number, number>[];
  readonly #globalsReplaced: readonly Map<number, number>[];
  readonly #singlesReplaced: readonly Map<number, number>[];

  constructor(machines: readonly Machine[]) {
    const counters = () => machines.map(() => new Map<number, number>());
    this.machines = machines;
    this.load = new Int32Array(machines.length);
    this.#open = machines.map((machine) => closedBecause(machine) === null);
    this.#residents = machines.map(() => new Set());
    this.#shunning = counters();
    this.#shunned = counters();
    this.#replacing = counters();
    this.#globalsReplaced = counters();
    this.#singlesReplaced = counters();
  }

  candidates(atom: Atom): Candidates {
    const key = staticKey(atom.units);
    const known = this.#candidates.get(key);
    if (known !== undefined) return known;
    const allowed = this.machines.map((machine) => staticReject(atom.units, machine) === null);
    const open = this.machines.map((_, number) => number).filter((number) => allowed[number]! && this.#open[number]!);
    const candidates = { allowed, allowedCount: allowed.filter((fits) => fits).length, open };
    this.#candidates.set(key, candidates);
    return candidates;
  }

  isOpen(machine: number): boolean {
    return this.#open[machine]!;
  }

  residents(machine: number): ReadonlySet<Atom> {
    return this.#residents[machine]!;
  }

  add(atom: Atom, machine: number): void {
    this.#residents[machine]!.add(atom);
    this.#count(atom, machine, 1);
  }

  remove(atom: Atom, machine: number): void {
    this.#residents[machine]!.delete(atom);
    this.#count(atom, machine, -1);
  }

  /** Somebody there and this atom may not share a machine. A global unit gives way to no single one: that is a conflict too. */
  conflicts(atom: Atom, machine: number): boolean {
    return (
      counts(this.#shunned[machine]!, atom.shuns) ||
      counts(this.#shunning[machine]!, atom.shunnedBy) ||
      counts(this.#globalsReplaced[machine]!, atom.replaces)
    );
  }

  /** Somebody there replaces a unit of this atom. */
  givesWay(atom: Atom, machine: number): boolean {
    return counts(this.#replacing[machine]!, atom.replacedBy);
  }

  /** Somebody there keeps this atom away. */
  minds(atom: Atom, machine: number): boolean {
    return this.conflicts(atom, machine) || this.givesWay(atom, machine);
  }

  /** Single groups there would have to leave if this atom came. */
  displaces(atom: Atom, machine: number): boolean {
    return counts(this.#singlesReplaced[machine]!, atom.replaces);
  }

  #count(atom: Atom, machine: number, step: 1 | -1): void {
    this.load[machine]! += step * atom.units.length;
    tally(this.#shunning[machine]!, atom.shuns, step);
    tally(this.#shunned[machine]!, atom.shunnedBy, step);
    tally(this.#replacing[machine]!, atom.replaces, step);
    const replaced = atom.group.global ? this.#globalsReplaced : this.#singlesReplaced;
    tally(replaced[machine]!, atom.replacedBy, step);
  }
}

function tally(counter: Map<number, number>, globs: readonly number[], step: 1 | -1): void {
  for (const glob of globs) counter.set(glob, (counter.get(glob) ?? 0) + step);
}

function counts(counter: ReadonlyMap<number, number>, globs: readonly number[]): boolean {
  return globs.some((glob) => (counter.get(glob) ?? 0) > 0);
}
