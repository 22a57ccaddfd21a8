import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import { matchesSelector, printSelector, type Selector } from "../cluster/selector.ts";
import { compareText, type MachineId, parseMachineId, type Sha256, type UnitName } from "../names.ts";
import type { StaysDownReason } from "../placement/lose-machines.ts";
import { placeUnits } from "../placement/place-units.ts";
import type { Placement, PlacementReason, Unplaced } from "../placement/placement.ts";
import { machinesMeant, WhatIfs } from "../plan/what-if.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { closestName } from "../unit/closest-name.ts";
import { compileGlob } from "../unit/glob.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { Expectation, GivenMachine, TestFile } from "./expectation.ts";

/** What is instead of what was expected. Machines go by name. */
export type Failure =
  | { readonly code: "no-unit"; readonly pattern: string; readonly meant: string | null }
  | { readonly code: "no-machine"; readonly wanted: string }
  | { readonly code: "is-nowhere"; readonly unit: UnitName; readonly because: Unplaced["because"] }
  | { readonly code: "is-inactive"; readonly unit: UnitName }
  | {
      readonly code: "is-on";
      readonly unit: UnitName;
      readonly machine: string;
      readonly placed: PlacementReason;
    }
  | { readonly code: "on-one-machine"; readonly units: readonly [UnitName, UnitName]; readonly machine: string }
  | {
      readonly code: "on-two-machines";
      readonly units: readonly [UnitName, UnitName];
      readonly machines: readonly [string, string];
    }
  | {
      readonly code: "stays-down";
      readonly lost: readonly string[];
      readonly unit: UnitName;
      readonly because: StaysDownReason;
    }
  | {
      readonly code: "too-few";
      readonly lost: readonly string[];
      readonly set: string;
      readonly up: number;
      readonly atLeast: number;
    };

export interface Judged {
  readonly expectation: Expectation;
  /** Empty where it is as expected. */
  readonly failures: readonly Failure[];
}

/** Places the commit on the given machines, all new, and compares. Nothing but the deciders that plans are made with is asked. */
export function judgeTest(spec: ClusterSpec, file: TestFile, sha256: Sha256): readonly Judged[] {
  const machines = givenMachines(spec, file.machines, sha256);
  const { placements, unplaced } = placeUnits({ spec, machines, current: new Map(), preferred: new Map(), sha256 });
  const world = new World(spec, machines, placements, unplaced);
  return file.expectations.map((expectation) => ({ expectation, failures: world.judge(expectation) }));
}

/** Machines of the manifest keep the id it gives them; the others get one made from their name. */
function givenMachines(spec: ClusterSpec, given: readonly GivenMachine[] | null, sha256: Sha256): Machine[] {
  const named = spec.machines.filter(({ match }) => match === null);
  const list: readonly GivenMachine[] = given ?? named.map(({ key }) => ({ ...NOTHING_SAID, name: key }));
  const ids = new Map(named.map(({ key, id }) => [key, id]));
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0 };
  const members = list.map(({ name, metadata, absent, capacity }) => ({
    ...facts,
    id: ids.get(name) ?? parseMachineId(name) ?? (sha256(name).slice(0, 32) as MachineId),
    name,
    metadata,
    ...(capacity === undefined ? {} : { capacity }),
    present: !absent,
    presenceRevision: absent ? 0 : 1,
  }));
  const machines = machinesOf(spec, { ...emptySnapshot, members }, new Set());
  const flags = new Map(members.map(({ id }, index) => [id, list[index]!]));
  return machines.map((machine) => {
    const { drain, cordon } = flags.get(machine.id)!;
    return { ...machine, drain: machine.drain || drain, cordon: machine.cordon || cordon };
  });
}

const NOTHING_SAID = { metadata: {}, absent: false, drain: false, cordon: false };

class World {
  readonly #machines: readonly Machine[];
  readonly #units: ReadonlySet<UnitName>;
  readonly #inactive: ReadonlySet<UnitName>;
  readonly #places: ReadonlyMap<UnitName, readonly Placement[]>;
  readonly #placements: readonly Placement[];
  readonly #unplaced: ReadonlyMap<UnitName, Unplaced>;
  readonly #whatIfs: WhatIfs;

  constructor(
    spec: ClusterSpec,
    machines: readonly Machine[],
    placements: readonly Placement[],
    unplaced: readonly Unplaced[],
  ) {
    this.#machines = machines;
    this.#placements = placements;
    this.#units = new Set(spec.units.map(({ name }) => name));
    this.#inactive = new Set(spec.units.filter(({ goal }) => goal === "inactive").map(({ name }) => name));
    this.#places = Map.groupBy(placements, ({ unit }) => unit);
    this.#unplaced = new Map(unplaced.flatMap((group) => group.units.map((unit) => [unit, group])));
    this.#whatIfs = new WhatIfs(spec, machines, placements);
  }

  judge(expectation: Expectation): readonly Failure[] {
    const mistaken = [...this.#unknownUnits(expectation), ...this.#unknownMachines(expectation)];
    if (mistaken.length > 0) return mistaken;
    switch (expectation.kind) {
      case "placed":
        return this.#placed(expectation);
      case "apart":
        return [
          ...this.#missing(expectation.units),
          ...this.#pairs(expectation.units).flatMap((pair) => this.#onOneMachine(pair)),
        ];
      case "together":
        return [...this.#missing(expectation.units), ...this.#parted(this.#named(expectation.units))];
      case "survives":
        return this.#survives(expectation);
      case "unplaceable":
        return this.#placesOf(expectation.units).map((placement) => this.#isOn(placement));
      case "only":
        return this.#onlyThese(expectation);
    }
  }

  #placed({ units, on, notOn }: Extract<Expectation, { kind: "placed" }>): Failure[] {
    const wrong = this.#placesOf(units).filter(({ machine }) => {
      const there = this.#machine(machine);
      return (on !== null && !matchesSelector(on, there)) || (notOn !== null && matchesSelector(notOn, there));
    });
    return [...this.#missing(units), ...wrong.map((placement) => this.#isOn(placement))];
  }

  #onOneMachine([a, b]: readonly [UnitName, UnitName]): Failure[] {
    const here = new Set(this.#places.get(a)?.map(({ machine }) => machine));
    const shared = this.#places.get(b)?.find(({ machine }) => here.has(machine));
    if (shared === undefined) return [];
    return [{ code: "on-one-machine", units: [a, b], machine: this.#machine(shared.machine).name }];
  }

  #parted(units: readonly UnitName[]): Failure[] {
    const [first, ...others] = units.flatMap((unit) => this.#places.get(unit) ?? []);
    const other = others.find(({ machine }) => machine !== first!.machine);
    if (first === undefined || other === undefined) return [];
    const machines = [this.#machine(first.machine).name, this.#machine(other.machine).name] as const;
    return [{ code: "on-two-machines", units: [first.unit, other.unit], machines }];
  }

  #survives({ lost: selector, except, atLeast }: Extract<Expectation, { kind: "survives" }>): Failure[] {
    const losses =
      selector === null ? this.#machines.map(({ id }) => [id]) : [machinesMeant([selector], this.#machines).machines];
    const mayStayDown = new Set(this.#named(except));
    const neverUp = [...this.#unplaced.keys()].filter((unit) => !mayStayDown.has(unit)).sort(compareText);
    const afterLoss = losses.flatMap((ids) => {
      const lost = ids.map((id) => this.#machine(id).name);
      const down = this.#whatIfs.lose(ids).down.filter(({ unit }) => !mayStayDown.has(unit));
      const few = atLeast
        .map(([set, count]) => ({ set, atLeast: count, up: this.#whatIfs.upAtOnce(set, ids) }))
        .filter(({ up, atLeast: least }) => up < least);
      return [
        ...down.map(({ unit, because }): Failure => ({ code: "stays-down", lost, unit, because })),
        ...few.map((set): Failure => ({ code: "too-few", lost, ...set })),
      ];
    });
    return [...this.#missing(neverUp), ...afterLoss];
  }

  #onlyThese({ units, on }: Extract<Expectation, { kind: "only" }>): Failure[] {
    const welcome = new Set(this.#named(units));
    return this.#placements
      .filter(({ unit, machine }) => !welcome.has(unit) && matchesSelector(on, this.#machine(machine)))
      .map((placement) => this.#isOn(placement));
  }

  #missing(patterns: readonly string[]): Failure[] {
    return this.#named(patterns)
      .filter((unit) => !this.#places.has(unit))
      .map((unit) =>
        this.#inactive.has(unit)
          ? { code: "is-inactive", unit }
          : { code: "is-nowhere", unit, because: this.#unplaced.get(unit)?.because ?? [] },
      );
  }

  #placesOf(patterns: readonly string[]): Placement[] {
    return this.#named(patterns).flatMap((unit) => this.#places.get(unit) ?? []);
  }

  #isOn({ unit, machine, reason }: Placement): Failure {
    return { code: "is-on", unit, machine: this.#machine(machine).name, placed: reason };
  }

  #pairs(patterns: readonly string[]): (readonly [UnitName, UnitName])[] {
    const units = this.#named(patterns);
    return units.flatMap((a, index) => units.slice(index + 1).map((b) => [a, b] as const));
  }

  #named(patterns: readonly string[]): UnitName[] {
    const matchers = patterns.map((pattern) => compileGlob(pattern) ?? (() => false));
    return [...this.#units].filter((unit) => matchers.some((matches) => matches(unit))).sort(compareText);
  }

  #unknownUnits(expectation: Expectation): Failure[] {
    const patterns = expectation.kind === "survives" ? expectation.except : expectation.units;
    const sets = expectation.kind === "survives" ? expectation.atLeast.map(([set]) => set) : [];
    const known = [...this.#units];
    const knownSets = new Set(known.map(replicaSetOf));
    return [
      ...patterns
        .filter((pattern) => this.#named([pattern]).length === 0)
        .map((pattern): Failure => ({ code: "no-unit", pattern, meant: closestName(pattern, known) })),
      ...sets
        .filter((set) => !knownSets.has(set))
        .map((set): Failure => ({ code: "no-unit", pattern: set, meant: closestName(set, knownSets) })),
    ];
  }

  #unknownMachines(expectation: Expectation): Failure[] {
    const selectors: (Selector | null)[] =
      expectation.kind === "placed"
        ? [expectation.on, expectation.notOn]
        : expectation.kind === "only"
          ? [expectation.on]
          : expectation.kind === "survives"
            ? [expectation.lost]
            : [];
    const given = selectors.filter((selector) => selector !== null);
    return machinesMeant(given, this.#machines).unmatched.map((selector) => ({
      code: "no-machine",
      wanted: printSelector(selector),
    }));
  }

  #machine(id: MachineId): Machine {
    return this.#machines.find((machine) => machine.id === id)!;
  }
}
