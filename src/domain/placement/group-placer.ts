import type { Machine } from "../cluster/machine.ts";
import { compareText, type GroupName, type MachineId, type UnitName } from "../names.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import { AtomBook } from "./atom-book.ts";
import type { Atom } from "./atoms.ts";
import { homesOf } from "./homes-of.ts";
import { named } from "./in-order.ts";
import { HomeKeeper } from "./keep-homes.ts";
import { MachineRoom } from "./machine-room.ts";
import type { PlacementInput } from "./place-groups.ts";
import type { Unplaced } from "./placement.ts";
import { Search } from "./seek-machines.ts";
import type { Sitting } from "./sitting.ts";
import { changedUnits, isSamePlaces, machineChange } from "./what-differs.ts";
import { whyUnplaced } from "./why-unplaced.ts";

/**
 * Places groups again and again, by the rules of `placeGroups`, and does only what a change makes necessary: groups whose units, places or
 * machines are other than the last time are taken out and decided anew, and those that look for a place look again. Gives what a
 * fresh one would give. Inputs are values: an object that was given once must not be changed afterwards.
 */
export class GroupPlacer {
  readonly #book = new AtomBook();
  readonly #sittings = new Map<GroupName, Sitting>();
  #input: PlacementInput | null = null;
  #machines: readonly Machine[] = [];
  #numbers: ReadonlyMap<MachineId, number> = new Map();
  #room = new MachineRoom([]);
  #keeper = new HomeKeeper(this.#room);
  #search: Search | null = null;
  #unplaced: readonly Unplaced[] = [];

  /** Sorted by name; those that are `inactive` as well. */
  get units(): readonly SpecUnit[] {
    return this.#book.units;
  }

  sittingOf(group: GroupName): Sitting | undefined {
    return this.#sittings.get(group);
  }

  /** By group name. */
  sittings(): readonly Sitting[] {
    return this.#book.atoms().map(({ group }) => this.#sittings.get(group.name)!);
  }

  get unplaced(): readonly Unplaced[] {
    return this.#unplaced;
  }

  /** Whether anything may be other than the last time. */
  place(input: PlacementInput): boolean {
    const before = this.#input;
    this.#input = input;
    if (before !== null && isSameInput(before, input)) return false;
    const isSameMachines = before?.machines === input.machines;
    const machines = isSameMachines ? this.#machines : inMachineOrder(input.machines);
    const reopened = isSameMachines ? NOWHERE : machineChange(this.#machines, machines);
    const isFresh = before === null || reopened === null;
    this.#machines = machines;
    const atoms = this.#book.update(input.spec);
    if (isFresh || atoms === null) {
      this.#startOver();
      this.#placeOthers();
      return true;
    }
    const changed =
      before.current === input.current ? [] : this.#sittingsOf(changedUnits(before.current, input.current));
    const isSamePlan = isSamePlaces(before.preferred, input.preferred);
    const isSame = atoms.removed.length + atoms.added.length + changed.length + reopened.length === 0 && isSamePlan;
    if (isSame) return false;
    this.#search?.undo();
    this.#search = null;
    if (!isSameMachines) this.#room.update(machines);
    this.#follow(atoms, changed, reopened);
    this.#placeOthers();
    return true;
  }

  /** Takes out whom the change concerns and puts them back as they are now. */
  #follow(
    atoms: { removed: readonly Atom[]; added: readonly Atom[] },
    changed: readonly Sitting[],
    reopened: readonly number[],
  ): void {
    const removed = atoms.removed.map(({ group }) => this.#sittings.get(group.name)!);
    for (const sitting of removed) {
      sitting.isRemoved = true;
      this.#keeper.lift(sitting);
      this.#sittings.delete(sitting.atom.group.name);
    }
    const added = atoms.added.map((atom) => this.#sit(atom));
    const isGlobal = ({ atom }: Sitting) => atom.group.global;
    if (this.#keeper.isContested || [...removed, ...added, ...changed].some(isGlobal)) {
      for (const sitting of changed) this.#findHomes(sitting);
      this.#keepAll();
      return;
    }
    const concerned = new Set([
      ...added,
      ...changed.filter(({ isRemoved }) => !isRemoved),
      ...this.#livingOn(reopened),
    ]);
    for (const sitting of concerned) this.#keeper.lift(sitting);
    for (const sitting of changed) this.#findHomes(sitting);
    for (const machine of reopened) {
      this.#keeper.liftGlobals(machine);
      this.#keeper.placeGlobals(machine);
    }
    for (const sitting of concerned) this.#keeper.keep(sitting);
    if (this.#keeper.isContested) this.#keepAll();
  }

  /** Single groups that run on one of these machines, wherever they will be. */
  #livingOn(machines: readonly number[]): readonly Sitting[] {
    if (machines.length === 0) return [];
    const staying = machines.flatMap((machine) => this.#room.residents(machine).filter((atom) => !atom.group.global));
    const leaving = [...this.#keeper.waiting].filter(({ homes }) => homes.some((home) => machines.includes(home)));
    return [...staying.map(({ group }) => this.#sittings.get(group.name)!), ...leaving];
  }

  #startOver(): void {
    this.#numbers = new Map(this.#machines.map((machine, number) => [machine.id, number]));
    this.#room = new MachineRoom(this.#machines);
    this.#keeper = new HomeKeeper(this.#room);
    this.#search = null;
    for (const sitting of this.#sittings.values()) sitting.isRemoved = true;
    this.#sittings.clear();
    const sittings = this.#book.atoms().map((atom) => this.#sit(atom));
    this.#keeper.keepAll(sittings, (sitting) => this.#plannedOf(sitting));
  }

  #keepAll(): void {
    this.#room.clear();
    this.#keeper.keepAll(this.sittings(), (sitting) => this.#plannedOf(sitting));
  }

  #sit(atom: Atom): Sitting {
    const sitting: Sitting = {
      atom,
      homes: [],
      isFromGoneMachine: false,
      kept: null,
      leaving: null,
      seat: null,
      everywhere: atom.group.global ? new Map() : null,
      isRemoved: false,
    };
    this.#findHomes(sitting);
    this.#sittings.set(atom.group.name, sitting);
    return sitting;
  }

  #findHomes(sitting: Sitting): void {
    const { current } = this.#input!;
    if (current.size === 0) {
      sitting.homes = NOWHERE;
      sitting.isFromGoneMachine = false;
      return;
    }
    sitting.homes = homesOf(sitting.atom, (unit) => current.get(unit), this.#numbers);
    const isSomewhere = sitting.atom.units.some(({ name }) => (current.get(name) ?? NOWHERE).length > 0);
    sitting.isFromGoneMachine = sitting.homes.length === 0 && isSomewhere;
  }

  #placeOthers(): void {
    this.#search = new Search(this.#room, {
      plannedOf: (sitting) => this.#plannedOf(sitting),
      sittingOf: (atom) => this.#sittings.get(atom.group.name)!,
    });
    this.#search.run(this.#keeper.waiting);
    const globals = this.#keeper.globals.filter(({ everywhere }) => everywhere!.size === 0);
    const nowhere = [...globals, ...this.#search.nowhere()].map(({ atom }) => atom);
    this.#unplaced = whyUnplaced(
      nowhere.sort((a, b) => compareText(a.group.name, b.group.name)),
      this.#room,
    );
  }

  #plannedOf({ atom }: Sitting): number | undefined {
    const { preferred } = this.#input!;
    if (preferred.size === 0) return undefined;
    const wanted = (unit: UnitName) => {
      const machine = preferred.get(unit);
      return machine === undefined ? undefined : [machine];
    };
    return homesOf(atom, wanted, this.#numbers)[0];
  }

  #sittingsOf(units: readonly UnitName[]): readonly Sitting[] {
    const sittings = units.flatMap((unit) => {
      const found = named(this.#book.units, unit);
      return found === null ? [] : (this.#sittings.get(found.group) ?? []);
    });
    return [...new Set(sittings)];
  }
}

const NOWHERE: readonly never[] = [];

function inMachineOrder(machines: readonly Machine[]): readonly Machine[] {
  return [...machines].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
}

function isSameInput(a: PlacementInput, b: PlacementInput): boolean {
  return a.spec === b.spec && a.machines === b.machines && a.current === b.current && a.preferred === b.preferred;
}
