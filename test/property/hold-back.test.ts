import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { MachineId, UnitHash, UnitName } from "../../src/domain/names.ts";
import { placeUnits } from "../../src/domain/placement/place-units.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import type { BaseSpec } from "../../src/domain/rollout/base-versions.ts";
import { type HoldBackInput, holdBack } from "../../src/domain/rollout/hold-back.ts";
import { ringOf } from "../../src/domain/rollout/rings.ts";
import type { Ring } from "../../src/domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../../src/domain/spec/unit-on-machine.ts";
import { sha256 } from "../compile-repository.ts";
import { currentOf, machines, specOf, unitSketches } from "./generators/cluster.ts";

const RUNS = { numRuns: 1000 };

function ring(key: string, value: string | null): Ring {
  const match = value === null ? null : { kind: "metadata" as const, key, values: [value] };
  return { name: value ?? "*", match, soakMs: 0, window: null };
}

const RINGS: readonly (readonly Ring[])[] = [
  [],
  [ring("role", "web"), ring("*", null)],
  [ring("role", "db"), ring("zone", "a")],
  [ring("zone", "a"), ring("role", "web"), ring("*", null)],
];

const inputs: fc.Arbitrary<HoldBackInput> = fc
  .tuple(
    unitSketches,
    unitSketches,
    machines,
    fc.constantFrom<"known" | "none" | "unknown">("known", "known", "none", "unknown"),
  )
  .chain(([sketches, old, known, kind]) => {
    const [spec, oldSpec] = [specOf(sketches), specOf(old)];
    const base: BaseSpec = kind === "known" ? oldSpec : kind === "none" ? null : "unknown";
    const byName = new Map([...sketches, ...old].map((sketch) => [sketch.name, sketch]));
    return fc
      .record({
        current: currentOf([...byName.values()], known),
        rings: fc.constantFrom(...RINGS),
        openRings: fc.integer({ min: 1, max: 4 }),
        versions: fc.infiniteStream(fc.constantFrom("old", "old", "old", "new", "third")),
      })
      .map(({ current, rings, openRings, versions }) => ({
        spec,
        base,
        before: placedOf(current, (unit) => {
          const version = versions.next().value!;
          const one = (version === "new" ? spec : oldSpec).units.find(({ name }) => name === unit);
          return version === "third" || one === undefined ? ("third" as UnitHash) : hashOf(one, spec);
        }),
        wanted: placeUnits({ spec, machines: known, current, preferred: new Map(), sha256 }).placements,
        machines: known,
        rings,
        openRings,
        sha256,
      }));
  });

test("with all rings open it is what is wanted", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      assert.deepEqual(holdBack({ ...input, openRings: input.rings.length + 1 }), input.wanted);
      if (input.rings.length === 0) assert.deepEqual(holdBack(input), input.wanted);
    }),
    RUNS,
  );
});

test("machines of open rings have what is wanted, those of closed ones what the base has, and nobody is where he is not wanted", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const held = holdBack(input);
      for (const placement of input.wanted) {
        const found = held.find((one) => keyOf(one) === keyOf(placement)) ?? null;
        if (!isClosed(input, placement.machine)) assert.deepEqual(found, placement);
        else assert.deepEqual(versionOf(found), expected(input, placement), keyOf(placement));
      }
      const wanted = new Set(input.wanted.map(keyOf));
      const units = new Set(input.spec.units.filter(({ goal }) => goal !== "inactive").map(({ name }) => name));
      for (const one of held.filter((placement) => !wanted.has(keyOf(placement)))) {
        assert.ok(isClosed(input, one.machine) && !units.has(one.unit), `${keyOf(one)} is not wanted`);
        assert.ok(
          input.before.get(one.unit)?.some(({ machine }) => machine === one.machine),
          `${keyOf(one)} is new`,
        );
      }
    }),
    RUNS,
  );
});

test("what the commit has no more stays on machines of closed rings, and goes with the last of them", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const held = new Set(holdBack(input).map(keyOf));
      const units = new Set(input.spec.units.map(({ name }) => name));
      for (const [unit, sides] of input.before) {
        if (units.has(unit)) continue;
        for (const { machine } of sides) {
          const isMember = input.machines.some(({ id }) => id === machine);
          assert.equal(held.has(keyOf({ unit, machine })), isMember && isClosed(input, machine));
        }
      }
    }),
    RUNS,
  );
});

test("asked again once it is so, it says the same", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const held = holdBack(input);
      const again = holdBack({ ...input, before: sidesOf(held) });
      assert.deepEqual(again, held);
    }),
    RUNS,
  );
});

test("nothing that runs and is wanted where it runs is stopped", () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const held = new Set(holdBack(input).map(keyOf));
      for (const placement of input.wanted) {
        const runs = input.before.get(placement.unit)?.some(({ machine }) => machine === placement.machine) === true;
        assert.ok(!runs || held.has(keyOf(placement)), keyOf(placement));
      }
    }),
    RUNS,
  );
});

/** The version a wanted placement is to have on a machine of a closed ring; null: it is not there yet. */
function expected({ base, before, spec }: HoldBackInput, placement: Placement): Version | null {
  const placed = before.get(placement.unit)?.find(({ machine }) => machine === placement.machine) ?? null;
  const [wanted, was] = [versionOf(placement), versionOf(placed)];
  if (JSON.stringify(was) === JSON.stringify(wanted)) return wanted;
  if (base === "unknown") return was ?? wanted;
  const unit = base?.units.find(({ name, goal }) => name === placement.unit && goal !== "inactive");
  if (unit === undefined) return was;
  const isGlobal = spec.units.find(({ name }) => name === placement.unit)!.options.global;
  if (isGlobal && !unit.options.global && was === null) return null;
  return { hash: hashOf(unit, base as typeof spec), goal: unit.goal };
}

type Version = Pick<PlacedSide, "hash" | "goal">;

function versionOf(side: Version | null): Version | null {
  return side === null ? null : { hash: side.hash, goal: side.goal };
}

function isClosed({ machines: known, rings, openRings }: HoldBackInput, id: MachineId): boolean {
  const machine = known.find((one): one is Machine => one.id === id);
  return machine !== undefined && ringOf(rings, machine) >= openRings;
}

function hashOf(unit: Parameters<typeof unitOnMachine>[0], spec: Parameters<typeof unitOnMachine>[2]): UnitHash {
  return unitOnMachine(unit, null, spec, sha256).hash;
}

function placedOf(
  current: ReadonlyMap<UnitName, readonly MachineId[]>,
  hash: (unit: UnitName) => UnitHash,
): Map<UnitName, readonly PlacedSide[]> {
  return new Map(
    [...current].map(([unit, list]) => [
      unit,
      list.map((machine) => ({ machine, hash: hash(unit), goal: "launched" })),
    ]),
  );
}

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  return new Map(
    [...sides].map(([unit, list]) => [unit, list.map(({ machine, hash, goal }) => ({ machine, hash, goal }))]),
  );
}

function keyOf({ unit, machine }: { readonly unit: UnitName; readonly machine: MachineId }): string {
  return `${unit}@${machine}`;
}
