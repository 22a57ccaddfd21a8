import type { Machine } from "../cluster/machine.ts";
import { awaitsMachine } from "../loss/may-be-replaced.ts";
import { compareText, type GroupName, type MachineId, type UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type Atom, atomsOf } from "./atoms.ts";
import { leastLoaded } from "./least-loaded.ts";
import { MachineRoom } from "./machine-room.ts";
import { placeGroups } from "./place-groups.ts";
import type { Placement, Unplaced } from "./placement.ts";
import type { ReplicaRules } from "./replica-rules.ts";
import { leaveBecause } from "./static-fit.ts";
import { rejections } from "./why-unplaced.ts";

/** Why a group stays down while the machine it is on is lost. */
export type StaysDownReason =
  /** Its data is on the machine: the local state that was found. */
  | { readonly code: "data-stays"; readonly because: string }
  /** `Move=never` was said, and no local state was found. */
  | { readonly code: "move-never" }
  /** `Replace=no`: it waits for its machine. */
  | { readonly code: "replace-no" }
  /** `MachineID=` names the machine. */
  | { readonly code: "pinned"; readonly machine: string }
  /** A global group, and no machine that is left runs it. */
  | { readonly code: "no-other-machine" }
  /** Why each of the other machines does not take it; empty where there is no other. */
  | { readonly code: "nothing-fits"; readonly because: Unplaced["because"] };

interface Seated {
  readonly atom: Atom;
  readonly number: number;
}

/** What becomes of the groups when machines are lost, once everything that may move has moved. */
export interface Loss {
  /** Sorted by group. From a machine that is not lost where another group takes the place (`Replaces=`). */
  readonly moved: readonly { readonly atom: Atom; readonly from: MachineId; readonly to: MachineId }[];
  /** Sorted by group. */
  readonly down: readonly { readonly atom: Atom; readonly because: StaysDownReason }[];
}

/**
 * Loses machines of a cluster as it is after a plan, one trial after another. Gives what placing everything anew would give, for far
 * less: what is placed stays, so only groups of the lost machines look for another, in the order of `placeGroups`. What had no
 * place, or had to stay on a closed machine, finds none now: machines are closed and filled by a loss, never opened or emptied. Only a
 * group with `Replaces=` may empty one, and one of a set that is kept apart (`Spread=KEY hard`) leaves room for another of its set that
 * has none: where such a group has to move, everything is placed anew.
 */
export class LossTrials {
  readonly #spec: ClusterSpec;
  readonly #machines: readonly Machine[];
  readonly #numbers: ReadonlyMap<MachineId, number>;
  readonly #places: ReadonlyMap<UnitName, readonly MachineId[]>;
  readonly #atoms: readonly Atom[];
  readonly #residents: readonly Atom[][];
  readonly #room: MachineRoom;
  /** Sets of which one may be on machines of one value only, and one looks for a place already. */
  readonly #sought: ReadonlySet<ReplicaRules>;

  /** `placements` as `placeUnits` gives them for this spec and these machines. */
  constructor(spec: ClusterSpec, machines: readonly Machine[], placements: readonly Placement[]) {
    this.#spec = spec;
    this.#machines = [...machines].sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id));
    this.#numbers = new Map(this.#machines.map(({ id }, number) => [id, number]));
    this.#places = placesOf(placements);
    this.#atoms = atomsOf(spec);
    this.#residents = this.#machines.map(() => []);
    this.#room = new MachineRoom(this.#machines);
    for (const atom of this.#atoms) {
      for (const number of this.#numbersOf(atom)) {
        this.#room.add(atom, number);
        this.#residents[number]!.push(atom);
      }
    }
    const seeking = this.#atoms.filter((atom) => {
      if (!atom.spreads.some(({ hard }) => hard)) return false;
      const [home] = this.#numbersOf(atom);
      return home === undefined || leaveBecause(this.#machines[home]!, atom.units) !== null;
    });
    this.#sought = new Set(seeking.flatMap(({ spreads }) => spreads.map(({ rules }) => rules)));
  }

  /** Whether a trial costs as much as a plan's whole placement. */
  isCostly(lost: ReadonlySet<MachineId>): boolean {
    return this.#leaving(this.#lostNumbers(lost)).some(
      ({ replaces, spreads }) =>
        replaces.length > 0 || spreads.some(({ rules, hard }) => hard && this.#sought.has(rules)),
    );
  }

  lose(lost: ReadonlySet<MachineId>): Loss {
    if (this.isCostly(lost)) {
      const machines = this.#machines.map(
        (machine): Machine => (lost.has(machine.id) ? { ...machine, presence: "lost" } : machine),
      );
      const { seats } = placeGroups({ spec: this.#spec, machines, current: this.#places, preferred: new Map() });
      return this.#compare(
        lost,
        new Map(seats.map(({ atom, machine }) => [atom.group.name, this.#numbers.get(machine.id)!])),
      );
    }
    const numbers = this.#lostNumbers(lost);
    const taken: Seated[] = [];
    const stuck: Atom[] = [...numbers].flatMap((number) =>
      this.#residents[number]!.filter((atom) => !atom.group.global && staysPut(atom)),
    );
    const leaving = this.#leaving(numbers);
    for (const atom of leaving) this.#room.remove(atom, this.#homeOf(atom));
    const seated: Seated[] = [];
    for (const atom of leaving) {
      const number = leastLoaded(atom, this.#room, numbers);
      if (number === null) stuck.push(atom);
      else taken.push({ atom, number });
      // One that fits nowhere is left where it is, and counts there.
      if (number === null && this.#room.minds(atom, this.#homeOf(atom))) continue;
      seated.push({ atom, number: number ?? this.#homeOf(atom) });
      this.#room.add(atom, number ?? this.#homeOf(atom));
    }
    const loss = this.#loss(numbers, taken, stuck, this.#room);
    for (const { atom, number } of seated) this.#room.remove(atom, number);
    for (const atom of leaving) this.#room.add(atom, this.#homeOf(atom));
    return loss;
  }

  /** The same of placements that were decided elsewhere, with those machines lost. */
  compare(lost: ReadonlySet<MachineId>, placements: readonly Placement[]): Loss {
    const places = placesOf(placements);
    const after = new Map<GroupName, number>();
    for (const { group, units } of this.#atoms) {
      const machine = places.get(units[0]!.name)?.[0];
      if (machine !== undefined) after.set(group.name, this.#numbers.get(machine)!);
    }
    return this.#compare(lost, after);
  }

  #compare(lost: ReadonlySet<MachineId>, after: ReadonlyMap<GroupName, number>): Loss {
    const numbers = this.#lostNumbers(lost);
    const room = new MachineRoom(this.#machines);
    const taken: Seated[] = [];
    const stuck: Atom[] = [];
    for (const atom of this.#atoms) {
      if (atom.group.global) {
        for (const number of this.#numbersOf(atom)) room.add(atom, number);
        continue;
      }
      const [before] = this.#numbersOf(atom);
      const now = after.get(atom.group.name);
      if (now !== undefined) room.add(atom, now);
      if (before === undefined) continue;
      if (now === undefined || (now === before && numbers.has(now))) stuck.push(atom);
      else if (now !== before) taken.push({ atom, number: now });
    }
    return this.#loss(numbers, taken, stuck, room);
  }

  #loss(numbers: ReadonlySet<number>, taken: readonly Seated[], stuck: readonly Atom[], room: MachineRoom): Loss {
    const reasons = new Map<string, Unplaced["because"]>();
    const singles = stuck.map((atom) => ({ atom, because: this.#staysDown(atom, numbers, room, reasons) }));
    const globals = [...numbers].flatMap((number) => this.#residents[number]!.filter((atom) => atom.group.global));
    const gone = [...new Set(globals)].filter((atom) => !this.#runsElsewhere(atom, numbers));
    return {
      moved: taken
        .map(({ atom, number }) => ({
          atom,
          from: this.#machines[this.#numbersOf(atom)[0]!]!.id,
          to: this.#machines[number]!.id,
        }))
        .sort(byGroup),
      down: [...singles, ...gone.map((atom) => ({ atom, because: { code: "no-other-machine" } as const }))].sort(
        byGroup,
      ),
    };
  }

  #staysDown(
    atom: Atom,
    lost: ReadonlySet<number>,
    room: MachineRoom,
    reasons: Map<string, Unplaced["because"]>,
  ): StaysDownReason {
    const home = this.#homeOf(atom);
    if (lost.has(home) && atom.group.move === "never") {
      const [state] = atom.group.localState;
      return state === undefined ? { code: "move-never" } : { code: "data-stays", because: state.because };
    }
    if (lost.has(home) && awaitsMachine(atom.units)) return { code: "replace-no" };
    const pinned = atom.units.find(({ options }) => options.machineId !== null)?.options.machineId;
    const { id, name } = this.#machines[home]!;
    if (lost.has(home) && (pinned === id || pinned === name)) return { code: "pinned", machine: name };
    // Groups that mind nobody are rejected alike where the commit asks the same of their machines: thousands may be stuck at once.
    if (atom.hasRelations || atom.replicas.length > 0) {
      return { code: "nothing-fits", because: this.#rejections(atom, lost, room) };
    }
    const key = `${atom.staticKey} ${atom.requests.cpuMilli} ${atom.requests.memoryBytes}`;
    const because = reasons.get(key) ?? this.#rejections(atom, lost, room);
    reasons.set(key, because);
    return { code: "nothing-fits", because };
  }

  /** It may still count where it is; it does not keep itself away from anywhere. */
  #rejections(atom: Atom, lost: ReadonlySet<number>, room: MachineRoom): Unplaced["because"] {
    const home = this.#homeOf(atom);
    const isThere = room.residents(home).includes(atom);
    if (isThere) room.remove(atom, home);
    const because = rejections(atom, room, lost);
    if (isThere) room.add(atom, home);
    return because;
  }

  /** Those that look for another machine, in the order in which they choose; see `placeGroups`. */
  #leaving(lost: ReadonlySet<number>): Atom[] {
    const choices = (atom: Atom) => this.#room.candidates(atom).allowedCount;
    return [...lost]
      .flatMap((number) => this.#residents[number]!)
      .filter((atom) => !atom.group.global && !staysPut(atom))
      .sort((a, b) => a.level - b.level || choices(a) - choices(b) || compareText(a.group.name, b.group.name));
  }

  #runsElsewhere(atom: Atom, lost: ReadonlySet<number>): boolean {
    return this.#numbersOf(atom).some((number) => !lost.has(number) && this.#machines[number]!.presence === "present");
  }

  #numbersOf(atom: Atom): readonly number[] {
    return (this.#places.get(atom.units[0]!.name) ?? []).map((machine) => this.#numbers.get(machine)!);
  }

  #homeOf(atom: Atom): number {
    return this.#numbersOf(atom)[0]!;
  }

  #lostNumbers(lost: ReadonlySet<MachineId>): ReadonlySet<number> {
    return new Set([...lost].flatMap((machine) => this.#numbers.get(machine) ?? []));
  }
}

/** Whatever becomes of its machine. */
function staysPut({ group, units }: Atom): boolean {
  return group.move === "never" || awaitsMachine(units);
}

function placesOf(placements: readonly Placement[]): Map<UnitName, readonly MachineId[]> {
  const places = new Map<UnitName, MachineId[]>();
  for (const { unit, machine } of placements) {
    const known = places.get(unit);
    if (known === undefined) places.set(unit, [machine]);
    else known.push(machine);
  }
  return places;
}

function byGroup(a: { readonly atom: Atom }, b: { readonly atom: Atom }): number {
  return compareText(a.atom.group.name, b.atom.group.name);
}
