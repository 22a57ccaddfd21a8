import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupName, MachineId, UnitName } from "../../src/domain/names.ts";
import { placeUnits } from "../../src/domain/placement/place-units.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { diffPlacements, machineOf } from "../../src/domain/plan/diff-placements.ts";
import { knownFiles } from "../../src/domain/plan/known-files.ts";
import { admissible } from "../../src/domain/rollout/admissible.ts";
import { baseVersions } from "../../src/domain/rollout/base-versions.ts";
import { type FilmInput, filmOf } from "../../src/domain/rollout/film-of.ts";
import { holdBack } from "../../src/domain/rollout/hold-back.ts";
import { nextWave } from "../../src/domain/rollout/next-wave.ts";
import { ringCount, ringOf } from "../../src/domain/rollout/rings.ts";
import type { ClusterSpec, Group } from "../../src/domain/spec/cluster-spec.ts";
import * as fc from "./fast-check.ts";
import { holdBackInputs } from "./generators/hold-back.ts";

const RUNS = { numRuns: 700 };

/** A rollout over rings, some of its sets with canaries and limits. All machines are there: what is away is held against the waves of one ring. */
const films: fc.Arbitrary<FilmInput> = fc
  .tuple(holdBackInputs, fc.constantFrom(null, 1, 2), fc.constantFrom(0, 60_000), fc.constantFrom(null, 1, 2))
  .map(([input, canaries, bakeMs, maxParallel]): FilmInput => {
    const units = input.spec.units.map((unit) => ({
      ...unit,
      rollout: {
        ...unit.rollout,
        ...(canaries === null ? {} : { canary: { count: canaries }, bakeMs }),
        ...(maxParallel === null ? {} : { maxParallel }),
      },
    }));
    const spec: ClusterSpec = { ...input.spec, units, rings: input.rings };
    const base = input.base === null || input.base === "unknown" ? null : input.base;
    const machines = input.machines.map((machine) => ({ ...machine, presence: "present" as const }));
    const files = knownFiles(base === null ? [spec] : [spec, base], new Map(), input.sha256);
    const changesTo: FilmInput["changesTo"] = (from, to) => diffPlacements(from, to, spec, files, new Map());
    const { before, wanted, sha256 } = input;
    return { spec, released: base, base: input.base, before, wanted, machines, changesTo, sha256 };
  });

test("rings open one after the other, and in each only its machines and those before get a new version", () => {
  fc.assert(
    fc.property(films, (input) => {
      const { spec, wanted, machines, base } = input;
      const versions = baseVersions(base, machines, input.sha256);
      fc.pre(versions.isKnown);
      const rings = new Map(machines.map((machine) => [machine.id, ringOf(spec.rings ?? [], machine)]));
      const { waves } = filmOf(input);
      let ring = 0;
      for (const wave of waves) {
        if ((spec.rings ?? []).length === 0) assert.equal(wave.ring, undefined);
        else {
          assert.ok(wave.ring! >= ring, "a ring opens after a later one");
          ring = wave.ring!;
          for (const { unit, machine } of wave.changes) {
            const to = wanted.find((one) => one.unit === unit && one.machine === machine);
            if (to === undefined || versions.on(unit, machine) !== null) continue;
            // What the base does not have is new: it begins in its machine's own ring, or was there before.
            const wasThere = input.before.get(unit)?.some((side) => side.machine === machine) === true;
            assert.ok(wasThere || rings.get(machine)! <= ring, `${unit} begins on a closed ring's machine`);
          }
        }
      }
    }),
    RUNS,
  );
});

test("every change is in a wave, and in one only where what runs is what the base has and nothing moves", () => {
  fc.assert(
    fc.property(films, (input) => {
      const told = filmOf(input).waves.flatMap(({ changes }) =>
        changes.map(({ unit, machine }) => `${unit} ${machine}`),
      );
      const counts = new Map<string, number>();
      for (const key of told) counts.set(key, (counts.get(key) ?? 0) + 1);
      const versions = baseVersions(input.base, input.machines, input.sha256);
      for (const change of input.changesTo(input.before, input.wanted)) {
        const count = counts.get(`${change.unit} ${machineOf(change)}`) ?? 0;
        assert.ok(count >= 1, `${change.unit} is in no wave`);
        const was = change.from === null ? null : versions.on(change.unit, change.from.machine);
        const stays =
          change.from?.machine === change.to?.machine &&
          was?.hash === change.from?.hash &&
          was?.goal === change.from?.goal;
        if (stays && change.reason.code === "files-changed")
          assert.equal(count, 1, `${change.unit} is in ${count} waves`);
      }
    }),
    RUNS,
  );
});

test("an engine that opens a ring when the one before has nothing left to do goes through these very waves", () => {
  let compared = 0;
  fc.assert(
    fc.property(films.map(withoutForce), (input) => {
      const { waves, refusals } = filmOf(input);
      // What is refused is never done without a person.
      fc.pre(refusals.length === 0 && input.base !== "unknown");
      compared += 1;
      assert.deepEqual(
        wavesOfEngine(input),
        waves.map(({ changes }) => changes.map(({ unit, machine }) => `${unit} ${machine}`)),
      );
    }),
    RUNS,
  );
  assert.ok(compared > 200, `only ${compared} films were compared`);
});

/** Where a film never has to break a circle, or a budget that is broken before it begins: an engine leaves these to people. */
function withoutForce(input: FilmInput): FilmInput {
  const { base, machines, sha256 } = input;
  const [spec, released] = [alone(input.spec), input.released === null ? null : alone(input.released)];
  const members = new Set(machines.map(({ id }) => id));
  const before = new Map(
    [...input.before]
      .map(([unit, all]) => [unit, all.filter((side) => members.has(side.machine))] as const)
      .map(([unit, sides]) => [unit, GLOBALS.has(unit) ? sides : sides.slice(0, 1)] as const)
      .filter(([, sides]) => sides.length > 0),
  );
  const current = new Map([...before].map(([unit, sides]) => [unit, sides.map(({ machine }) => machine)]));
  const files = knownFiles(released === null ? [spec] : [spec, released], new Map(), sha256);
  return {
    spec,
    released,
    base: base === null || base === "unknown" ? base : alone(base),
    before,
    wanted: placeUnits({ spec, machines, current, preferred: new Map(), sha256 }).placements,
    machines,
    changesTo: (from, to) => diffPlacements(from, to, spec, files, new Map()),
    sha256,
  };
}

const GLOBALS: ReadonlySet<string> = new Set(["a.service", "b.service"]);

/** Every unit in a group of its own, in nobody's way, and on every machine by its name alone. */
function alone(spec: ClusterSpec): ClusterSpec {
  const groups = spec.units.map(
    ({ name }): Group => ({
      name: name as string as GroupName,
      units: [name],
      global: GLOBALS.has(name),
      ties: [],
      move: "auto",
      localState: [],
    }),
  );
  const units = spec.units.map((unit) => {
    const { maxPerMachine: _, spread: __, ...options } = unit.options;
    const group = unit.name as string as GroupName;
    return { ...unit, group, options: { ...options, conflicts: [], replaces: [], global: GLOBALS.has(unit.name) } };
  });
  return { ...spec, units, groups };
}

function wavesOfEngine(input: FilmInput): string[][] {
  const { spec, machines, base, wanted, sha256 } = input;
  const rings = spec.rings ?? [];
  const baked = new Set<string>();
  const waves: string[][] = [];
  let before = input.before;
  for (let openRings = 1; openRings <= ringCount(rings, machines); ) {
    const mixture = holdBack({ spec, base, before, wanted, machines, rings, openRings, sha256 });
    const { released } = input;
    const after =
      mixture === wanted ? wanted : admissible({ spec, released, base, before, mixture, machines, sha256 }).placements;
    const changes = input.changesTo(before, after);
    const ask = () =>
      nextWave(
        {
          spec,
          released: input.released,
          before,
          after,
          changes,
          isAway: (id) => !machines.some((machine) => machine.id === id),
          stateOf: () => "up",
          canaries: { base: baseVersions(base, machines, sha256), machines, isBaked: (set) => baked.has(set) },
        },
        () => false,
      );
    for (const { set, ms } of ask().baking) if (ms === 0) baked.add(set);
    const { made, held, placements, baking } = ask();
    if (made.length > 0) waves.push(made.map((change) => `${change.unit} ${machineOf(change)}`).sort());
    else if (changes.length === 0) openRings += 1;
    else {
      const [next] = baking.toSorted((a, b) => a.ms - b.ms);
      assert.ok(next !== undefined, `stuck with ${held.map((change) => change.unit)}`);
      for (const { set, ms } of baking) if (ms === next.ms) baked.add(set);
    }
    before = sidesOf(placements);
  }
  assert.deepEqual(before, sidesOf(wanted));
  return waves;
}

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  const side = ({ machine, hash, goal }: { machine: MachineId } & Placement) => ({ machine, hash, goal });
  return new Map([...sides].sort(([a], [b]) => (a < b ? -1 : 1)).map(([unit, list]) => [unit, list.map(side)]));
}
