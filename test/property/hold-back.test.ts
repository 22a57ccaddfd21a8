import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { type HoldBackInput, holdBack } from "../../src/domain/rollout/hold-back.ts";
import { ringOf } from "../../src/domain/rollout/rings.ts";
import * as fc from "./fast-check.ts";
import { hashOf, holdBackInputs } from "./generators/hold-back.ts";

const RUNS = { numRuns: 1000 };

test("with all rings open it is what is wanted", () => {
  fc.assert(
    fc.property(holdBackInputs, (input) => {
      assert.deepEqual(holdBack({ ...input, openRings: input.rings.length + 1 }), input.wanted);
      if (input.rings.length === 0) assert.deepEqual(holdBack(input), input.wanted);
    }),
    RUNS,
  );
});

test("machines of open rings have what is wanted, those of closed ones what the base has, and nobody is where he is not wanted", () => {
  fc.assert(
    fc.property(holdBackInputs, (input) => {
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
    fc.property(holdBackInputs, (input) => {
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
    fc.property(holdBackInputs, (input) => {
      const held = holdBack(input);
      const again = holdBack({ ...input, before: sidesOf(held) });
      assert.deepEqual(again, held);
    }),
    RUNS,
  );
});

test("nothing that runs and is wanted where it runs is stopped", () => {
  fc.assert(
    fc.property(holdBackInputs, (input) => {
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

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  return new Map(
    [...sides].map(([unit, list]) => [unit, list.map(({ machine, hash, goal }) => ({ machine, hash, goal }))]),
  );
}

function keyOf({ unit, machine }: { readonly unit: UnitName; readonly machine: MachineId }): string {
  return `${unit}@${machine}`;
}
