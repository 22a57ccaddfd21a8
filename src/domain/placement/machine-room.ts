import type { Machine } from "../cluster/machine.ts";
import type { Resource } from "../cluster/resources.ts";
import type { Atom } from "./atoms.ts";
import { Candidates } from "./candidates.ts";
import type { Loads } from "./load-index.ts";
import { ReplicaCounts } from "./replica-counts.ts";
import { closedBecause, lackedCapability, staticReject } from "./static-fit.ts";

/**
 * The machines while groups are being put on them: how full each is, and who there minds whom. Machines go by their number
 * in the given order, which is the order of every tie-break. Mutable, and private to whoever places.
 */
export class MachineRoom implements Loads {
  readonly #machines: Machine[];
  /** Units on each machine, globals included. */
  readonly load: Int32Array;
  readonly freeCpu: Float64Array;
  readonly freeMemory: Float64Array;
  readonly touched: number[] = [];
  readonly replicas: ReplicaCounts;
  readonly #open: boolean[];
  readonly #candidates = new Map<string, Candidates>();
  readonly #residents: Atom[][];
  /** By number of a glob and of a machine (`#at`): how many atoms there declare it, and how many it matches. */
  readonly #shunning: Counts = new Map();
  readonly #shunned: Counts = new Map();
  readonly #replacing: Counts = new Map();
  readonly #globalsReplaced: Counts = new Map();
  readonly #singlesReplaced: Counts = new Map();

  constructor(machines: readonly Machine[]) {
    this.#machines = [...machines];
    this.load = new Int32Array(machines.length);
    this.freeCpu = Float64Array.from(machines, ({ capacity }) => capacity?.cpuMilli ?? Number.POSITIVE_INFINITY);
    this.freeMemory = Float64Array.from(machines, ({ capacity }) => capacity?.memoryBytes ?? Number.POSITIVE_INFINITY);
    this.replicas = new ReplicaCounts(machines);
    this.#open = machines.map((machine) => closedBecause(machine) === null);
    this.#residents = machines.map(() => []);
  }

  get machines(): readonly Machine[] {
    return this.#machines;
  }

  candidates(atom: Atom): Candidates {
    const known = this.#candidates.get(atom.staticKey);
    if (known !== undefined) return known;
    const allowed = this.#machines.map((machine) => staticReject(atom, machine) === null);
    const capable = this.#machines.map((machine) => lackedCapability(atom.units, machine) === null);
    const alike = [...this.#candidates.values()].find((other) => other.isOf(allowed, capable));
    const candidates = alike ?? new Candidates(allowed, capable, this.#open, this);
    this.#candidates.set(atom.staticKey, candidates);
    return candidates;
  }

  isOpen(machine: number): boolean {
    return this.#open[machine]!;
  }

  residents(machine: number): readonly Atom[] {
    return this.#residents[machine]!;
  }

  /** The same machines, some of them otherwise there: present, drained, cordoned. What the commit or the machine says of itself is the same. */
  update(machines: readonly Machine[]): void {
    let reopens = false;
    machines.forEach((machine, number) => {
      this.#machines[number] = machine;
      const isOpen = closedBecause(machine) === null;
      reopens ||= isOpen !== this.#open[number];
      this.#open[number] = isOpen;
    });
    if (reopens) for (const candidates of this.#candidates.values()) candidates.reopen(this.#open);
  }

  /** Takes everybody away. */
  clear(): void {
    for (let machine = 0; machine < this.#machines.length; machine += 1) {
      for (const atom of [...this.#residents[machine]!]) this.remove(atom, machine);
    }
  }

  add(atom: Atom, machine: number): void {
    this.#residents[machine]!.push(atom);
    this.#count(atom, machine, 1);
  }

  remove(atom: Atom, machine: number): void {
    const residents = this.#residents[machine]!;
    residents.splice(residents.indexOf(atom), 1);
    this.#count(atom, machine, -1);
  }

  /** Somebody there and this atom may not share a machine. A global unit gives way to no single one: that is a conflict too. */
  conflicts(atom: Atom, machine: number): boolean {
    return (
      atom.hasRelations &&
      (this.#any(this.#shunned, atom.shuns, machine) ||
        this.#any(this.#shunning, atom.shunnedBy, machine) ||
        this.#any(this.#globalsReplaced, atom.replaces, machine))
    );
  }

  /** Somebody there replaces a unit of this atom. */
  givesWay(atom: Atom, machine: number): boolean {
    return this.#any(this.#replacing, atom.replacedBy, machine);
  }

  /** Whoever is there, or on machines like it, keeps this atom away; also where it runs by now. */
  minds(atom: Atom, machine: number): boolean {
    if (atom.hasRelations && (this.conflicts(atom, machine) || this.givesWay(atom, machine))) return true;
    if (atom.replicas.length === 0) return false;
    return this.replicas.overLimit(atom, machine) !== null || this.replicas.clash(atom, machine) !== null;
  }

  /** Single groups there would have to leave if this atom came. */
  displaces(atom: Atom, machine: number): boolean {
    return this.#any(this.#singlesReplaced, atom.replaces, machine);
  }

  /** Those groups. */
  displaced(atom: Atom, machine: number): readonly Atom[] {
    if (!this.displaces(atom, machine)) return [];
    return this.#residents[machine]!.filter(
      (other) => !other.group.global && other.replacedBy.some((glob) => atom.replaces.includes(glob)),
    );
  }

  /** What this machine has too little of for the atom; null: it has room. What asks for nothing has room everywhere. */
  lacks(atom: Atom, machine: number): Resource | null {
    const { cpuMilli, memoryBytes } = atom.requests;
    if (cpuMilli > 0 && cpuMilli > this.freeFor(atom, "cpu", machine)) return "cpu";
    return memoryBytes > 0 && memoryBytes > this.freeFor(atom, "memory", machine) ? "memory" : null;
  }

  /** What there is for the atom once those whom it displaces are gone. */
  freeFor(atom: Atom, resource: Resource, machine: number): number {
    let free = (resource === "cpu" ? this.freeCpu : this.freeMemory)[machine]!;
    if (atom.replaces.length === 0) return free;
    for (const { requests } of this.displaced(atom, machine)) {
      free += resource === "cpu" ? requests.cpuMilli : requests.memoryBytes;
    }
    return free;
  }

  /** Whether a newcomer that the commit allows there may come, to this open machine. */
  takes(atom: Atom, machine: number): boolean {
    return this.candidates(atom).capable[machine]! && !this.minds(atom, machine) && this.lacks(atom, machine) === null;
  }

  #count(atom: Atom, machine: number, step: 1 | -1): void {
    if (this.touched.length >= TOUCHED_MAX) this.#forget();
    this.load[machine]! += step * atom.units.length;
    this.freeCpu[machine]! -= step * atom.requests.cpuMilli;
    this.freeMemory[machine]! -= step * atom.requests.memoryBytes;
    this.touched.push(machine);
    if (atom.replicas.length > 0) this.replicas.add(atom, machine, step);
    if (!atom.hasRelations) return;
    this.#tally(this.#shunning, atom.shuns, machine, step);
    this.#tally(this.#shunned, atom.shunnedBy, machine, step);
    this.#tally(this.#replacing, atom.replaces, machine, step);
    const replaced = atom.group.global ? this.#globalsReplaced : this.#singlesReplaced;
    this.#tally(replaced, atom.replacedBy, machine, step);
  }

  #tally(counts: Counts, globs: readonly number[], machine: number, step: 1 | -1): void {
    for (const glob of globs) counts.set(this.#at(glob, machine), (counts.get(this.#at(glob, machine)) ?? 0) + step);
  }

  #any(counts: Counts, globs: readonly number[], machine: number): boolean {
    for (const glob of globs) if ((counts.get(this.#at(glob, machine)) ?? 0) > 0) return true;
    return false;
  }

  /** Indexes that have not caught up are made anew when they are asked. */
  #forget(): void {
    this.touched.length = 0;
    for (const candidates of this.#candidates.values()) candidates.reopen(this.#open);
  }

  #at(glob: number, machine: number): number {
    return glob * this.#machines.length + machine;
  }
}

/** A placement that is followed for months touches machines without end. */
const TOUCHED_MAX = 100_000;

type Counts = Map<number, number>;
