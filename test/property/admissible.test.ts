import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { MachineId, SpecHash, UnitName } from "../../src/domain/names.ts";
import { placeUnits } from "../../src/domain/placement/place-units.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { diffPlacements } from "../../src/domain/plan/diff-placements.ts";
import { knownFiles } from "../../src/domain/plan/known-files.ts";
import { type AdmissibleInput, admissible } from "../../src/domain/rollout/admissible.ts";
import { allowedNow } from "../../src/domain/rollout/gates.ts";
import { holdBack } from "../../src/domain/rollout/hold-back.ts";
import { holdStill } from "../../src/domain/rollout/hold-still.ts";
import { nextWave } from "../../src/domain/rollout/next-wave.ts";
import type { RolloutPhase, RolloutRecord } from "../../src/domain/rollout/rollout-record.ts";
import type { ClusterSpec, SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { compileGlob } from "../../src/domain/unit/glob.ts";
import { sha256 } from "../compile-repository.ts";
import * as fc from "./fast-check.ts";
import { machines as machineLists, specOf, unitSketches } from "./generators/cluster.ts";
import { hashOf, holdBackInputs, RINGS } from "./generators/hold-back.ts";

const RUNS = { numRuns: 1500 };

/** What gates make of anything: some of it kept in rings, or all that is there kept as it is. */
const mixtures: fc.Arbitrary<AdmissibleInput> = fc.tuple(holdBackInputs, fc.boolean()).map(([input, stands]) => {
  const mixture = stands ? holdStill({ ...input, isStill: () => true }) : holdBack(input);
  const released = input.base === null || input.base === "unknown" ? null : input.base;
  return { ...input, released, mixture };
});

test("whoever comes, or becomes another, is minded by nobody there, and has room", () => {
  let kept = 0;
  fc.assert(
    fc.property(mixtures, (input) => {
      const { placements, keptOut } = admissible(input);
      kept += keptOut.length;
      const words = wordsOf(input);
      for (const one of placements) {
        const was = input.before.get(one.unit)?.find(({ machine }) => machine === one.machine);
        const isNew = was === undefined;
        if (!isNew && sameWords(words({ ...one, hash: was.hash }), words(one))) continue;
        const here = placements.filter(({ machine }) => machine === one.machine);
        for (const other of here) assert.ok(!contradict(one, other, input), `${keyOf(one)} meets ${other.unit}`);
        const replicas = placements.filter(({ unit }) => setOf(unit) === setOf(one.unit));
        const beside = replicas.filter(({ machine }) => machine === one.machine);
        const limits = beside.flatMap((other) => words(other).map(({ options }) => options.maxPerMachine ?? 99));
        assert.ok(beside.length <= Math.min(99, ...limits), `${keyOf(one)} is one too many`);
        const capacity = input.machines.find(({ id }) => id === one.machine)?.capacity;
        const asked = (resource: "cpuMilli" | "memoryBytes", of: Placement) =>
          Math.max(0, ...words(of).map(({ requests }) => requests?.[resource] ?? 0));
        for (const resource of ["cpuMilli", "memoryBytes"] as const) {
          if (!isNew || capacity === undefined || asked(resource, one) === 0) continue;
          assert.ok(
            here.reduce((sum, other) => sum + asked(resource, other), 0) <= capacity[resource],
            `no room for ${keyOf(one)}`,
          );
        }
      }
    }),
    RUNS,
  );
  assert.ok(kept > 100, `only ${kept} were kept out`);
});

test("what is there and not let go by the gates stays there, and nobody comes where the gates want nobody", () => {
  fc.assert(
    fc.property(mixtures, (input) => {
      const { placements, isKeptOut } = admissible(input);
      const found = new Set(placements.map(keyOf));
      const wanted = new Set(input.mixture.map(keyOf));
      for (const one of input.mixture) {
        if (isThere(input, one)) assert.ok(found.has(keyOf(one)), `${keyOf(one)} is stopped`);
        else assert.ok(found.has(keyOf(one)) || isKeptOut(one), `${keyOf(one)} is forgotten`);
      }
      for (const one of placements) assert.ok(wanted.has(keyOf(one)) || isThere(input, one), `${keyOf(one)} is new`);
    }),
    RUNS,
  );
});

test("asked again once it is so, nobody who was let in has to go", () => {
  fc.assert(
    fc.property(mixtures, (input) => {
      const { placements } = admissible(input);
      const again = admissible({ ...input, before: sidesOf(placements) }).placements;
      const here = new Set(again.map(keyOf));
      const wanted = new Set(input.mixture.map(keyOf));
      for (const one of placements) assert.ok(!wanted.has(keyOf(one)) || here.has(keyOf(one)), keyOf(one));
    }),
    RUNS,
  );
});

interface Moment {
  readonly phase: RolloutPhase;
  readonly openRings: number;
  /** By machine: lost, drained or well. */
  readonly fates: readonly ("lost" | "drain" | "well")[];
}

const moments: fc.Arbitrary<readonly Moment[]> = fc.array(
  fc.record({
    phase: fc.constantFrom<RolloutPhase>("rolling", "rolling", "held", "paused"),
    openRings: fc.integer({ min: 1, max: 3 }),
    fates: fc.array(fc.constantFrom("well", "well", "well", "lost", "drain"), { minLength: 6, maxLength: 6 }),
  }),
  { minLength: 1, maxLength: 8 },
);

/** What a unit asks for is in its text, so that of one version there is one word; and nobody minds whom it lives with. */
const spelled = unitSketches.map((sketches) =>
  sketches.map((one) => {
    const own = sketches.filter(({ group, global }) => group === one.group && global === one.global);
    const conflicts = one.conflicts.filter((glob) => !own.some(({ name }) => compileGlob(glob)?.(name)));
    return { ...one, conflicts, text: `${one.text} ${JSON.stringify({ ...one, text: "" })}` };
  }),
);

const journeys = fc.tuple(
  spelled,
  spelled,
  machineLists.map((list) => list.map((one): Machine => ({ ...one, ...WELL }))),
  fc.constantFrom(...RINGS),
  moments,
);

test("from one release to the next, through rings, holds, losses and drains: no two that conflict are ever on a machine, and in the end all is as it is wanted", () => {
  let mixed = 0;
  fc.assert(
    fc.property(journeys, ([newSketches, oldSketches, all, rings, course]) => {
      const base = unbudgeted(specOf(oldSketches));
      const spec = { ...unbudgeted(specOf(newSketches)), rings };
      const cluster = new Journey(spec, base, all);
      for (const { phase, openRings, fates } of course) {
        const machines = all.map((machine, index): Machine => {
          const fate = fates[index]!;
          return { ...machine, presence: fate === "lost" ? "lost" : "present", drain: fate === "drain" };
        });
        for (let pass = 0; pass < 3; pass += 1) cluster.pass(phase, openRings, machines);
      }
      mixed += cluster.mixed;
      for (let pass = 0; pass < 60; pass += 1) cluster.pass("rolling", rings.length + 1, all);
      cluster.assertEnd(all);
    }),
    { numRuns: 300 },
  );
  assert.ok(mixed > 30, `only ${mixed} passes kept somebody out`);
});

/** What a budget does not allow at all needs a person: this is about places. */
function unbudgeted(spec: ClusterSpec): ClusterSpec {
  const units = spec.units.map((unit) => ({ ...unit, rollout: { ...unit.rollout, maxUnavailable: 99 } }));
  return { ...spec, units };
}

const WELL = { presence: "present", drain: false, cordon: false, admitted: true } as const;

/** Real deciders, and agents that do at once what they are told; a move takes two passes, as a hand-over does. */
class Journey {
  mixed = 0;
  #before: Map<UnitName, readonly PlacedSide[]>;
  readonly #spec: ClusterSpec;
  readonly #base: ClusterSpec;

  constructor(spec: ClusterSpec, base: ClusterSpec, machines: readonly Machine[]) {
    this.#spec = spec;
    this.#base = base;
    this.#before = sidesOf(this.#placed(base, machines, new Map()));
  }

  pass(phase: RolloutPhase, openRings: number, machines: readonly Machine[]): void {
    const [spec, base, before] = [this.#spec, this.#base, this.#before];
    const record: RolloutRecord = { ...RECORD, phase, openRings };
    const wanted = this.#placed(spec, machines, before);
    const gates = { record, spec, released: base, base, before, wanted, machines, wallMs: 0, sha256 };
    const { placements: after, keptOut } = allowedNow(gates);
    if (keptOut.length > 0) this.mixed += 1;
    const files = knownFiles([spec, base], new Map(machines.map(({ id, name }) => [id, name])), sha256);
    const away = new Set(machines.flatMap(({ id, presence }) => (presence === "present" ? [] : [id])));
    const isAway = (machine: MachineId) => away.has(machine);
    const changes = diffPlacements(before, after, spec, files, new Map());
    const { placements } = nextWave(
      { spec, released: base, before, after, changes, isAway, stateOf: () => "up" },
      (step) =>
        step.some(
          ({ from, to }) =>
            from !== null &&
            to !== null &&
            from.machine !== to.machine &&
            !isAway(from.machine) &&
            from.goal !== "inactive",
        ),
    );
    this.#before = sidesOf(placements);
    for (const one of placements) {
      if (isAway(one.machine)) continue;
      for (const other of placements)
        assert.ok(
          !contradict(one, other, { spec, base, released: base, machines, sha256 }),
          `${phase}, ${openRings} rings: ${keyOf(one)} meets ${other.unit}`,
        );
    }
  }

  assertEnd(machines: readonly Machine[]): void {
    const wanted = this.#placed(this.#spec, machines, this.#before);
    const found = [...this.#before].flatMap(([unit, sides]) =>
      sides.map(({ machine, hash }) => ({ unit, machine, hash })),
    );
    assert.deepEqual(found.map(versionOf).sort(), wanted.map(versionOf).sort());
  }

  #placed(spec: ClusterSpec, machines: readonly Machine[], before: ReadonlyMap<UnitName, readonly PlacedSide[]>) {
    const current = new Map([...before].map(([unit, sides]) => [unit, sides.map(({ machine }) => machine)]));
    return placeUnits({ spec, machines, current, preferred: new Map(), sha256 }).placements;
  }
}

const RECORD: RolloutRecord = {
  release: { seq: 2, commit: "c2" as RolloutRecord["release"]["commit"], specHash: "s2" as SpecHash },
  base: null,
  ...{ phase: "rolling", openRings: 1, soakedMs: 0, bakes: [], failures: [], orderRevision: 0, since: "" },
};

type Words = readonly SpecUnit[];
type Side = Pick<Placement, "unit" | "machine" | "hash">;
type Specs = Pick<AdmissibleInput, "spec" | "base" | "released" | "machines" | "sha256">;

/** The unit as the version that is there has it; as every spec has it where nobody knows the version. */
function wordsOf({ spec, base, released }: Specs): (side: Side) => Words {
  const known = [spec, released, base].filter((one): one is ClusterSpec => one !== null && one !== "unknown");
  const specs = [...new Set(known)];
  return ({ unit, hash }) => {
    const all = specs.flatMap((one) =>
      one.units.filter(({ name }) => name === unit).map((found) => ({ found, hash: hashOf(found, one) })),
    );
    const its = all.find((one) => one.hash === hash && one.found.goal !== "inactive");
    return (its === undefined ? all : [its]).map(({ found }) => found);
  };
}

/** Whether both ask for the same, all their words together. */
function sameWords(a: Words, b: Words): boolean {
  const said = (words: Words) => {
    const all = words.map(({ options }) => options);
    const most = (resource: "cpuMilli" | "memoryBytes") =>
      Math.max(0, ...words.map(({ requests }) => requests?.[resource] ?? 0));
    return JSON.stringify([
      [...new Set(all.flatMap(({ conflicts, replaces }) => [...conflicts, ...replaces]))].sort(),
      Math.min(99, ...all.map(({ maxPerMachine = 99 }) => maxPerMachine)),
      [...new Set(all.flatMap(({ spread }) => (spread?.hard === true ? [spread.key] : [])))].sort(),
      [most("cpuMilli"), most("memoryBytes")],
    ]);
  };
  return said(a) === said(b);
}

function contradict(one: Side, other: Side, input: Specs): boolean {
  if (one.unit === other.unit || one.machine !== other.machine) return false;
  const words = wordsOf(input);
  const [ours, theirs] = [words(one), words(other)];
  const groupOf = (unit: UnitName) => {
    const known = [input.spec, input.released].flatMap((spec) => (spec === null ? [] : spec.units));
    return known.find(({ name }) => name === unit)?.group ?? unit;
  };
  if (groupOf(one.unit) === groupOf(other.unit)) return false;
  const names = (all: Words, unit: UnitName) =>
    all.some(({ options }) => [...options.conflicts, ...options.replaces].some((glob) => compileGlob(glob)?.(unit)));
  return names(ours, other.unit) || names(theirs, one.unit);
}

function setOf(unit: UnitName): string {
  return unit.replace(/@[^.]*/, "@");
}

function isThere({ before }: AdmissibleInput, { unit, machine }: Side): boolean {
  return before.get(unit)?.some((side) => side.machine === machine) === true;
}

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  return new Map(
    [...sides].map(([unit, list]) => [unit, list.map(({ machine, hash, goal }) => ({ machine, hash, goal }))]),
  );
}

function versionOf(side: Side): string {
  return `${keyOf(side)} ${side.hash}`;
}

function keyOf({ unit, machine }: Pick<Side, "unit" | "machine">): string {
  return `${unit}@${machine}`;
}
