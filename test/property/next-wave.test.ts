import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { machineOf } from "../../src/domain/plan/diff-placements.ts";
import { isMove, nextWave } from "../../src/domain/rollout/next-wave.ts";
import {
  planRollout,
  type ReplicaState,
  type RolloutChange,
  type RolloutInput,
} from "../../src/domain/rollout/plan-rollout.ts";
import { compileGlob } from "../../src/domain/unit/glob.ts";
import * as fc from "./fast-check.ts";
import { rolloutInputs } from "./generators/rollout.ts";

const TAKES_DOWN = ["stop", "move", "restart"];
const STARTS = ["start", "move", "restart"];
const RUNS = { numRuns: 1000 };
const EASY = rolloutInputs({ losses: false, groups: false, conflicts: false });

const DELAYS = fc.infiniteStream(fc.integer({ min: 1, max: 4 }));
const nobodyWaits = () => false;

test("asked again after each wave, it begins as the plan has shown, is never stuck, and ends with everything as wanted", () => {
  fc.assert(
    fc.property(EASY, (input) => {
      const shown = planRollout(input).waves[0]?.changes.map(({ unit, machine }) => `${unit} ${machine}`);
      const waves: string[][] = [];
      let now = input;
      while (now.changes.length > 0) {
        const { held, placements } = nextWave(now, nobodyWaits);
        const made = now.changes.filter((change) => !held.includes(change));
        assert.ok(made.length > 0, `stuck with ${held.map((change) => change.unit)}`);
        waves.push(made.map((change) => `${change.unit} ${machineOf(change)}`).sort());
        now = { ...now, changes: held, before: sidesOf(placements) };
      }
      assert.deepEqual(waves[0], shown?.sort());
      assert.deepEqual(now.before, sidesOf(input.after));
    }),
    RUNS,
  );
});

test("it leads through the very waves that the plan has shown, canaries first, each bake in its turn", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: false, groups: false, conflicts: false, canaries: true }), (input) => {
      // Where an order contradicts that new replicas come first, both give way, and which of them does is seen only once.
      const units = input.spec.units.map((unit) => ({ ...unit, after: [] }));
      const unordered = { ...input, released: null, spec: { ...input.spec, units } };
      const shown = planRollout(unordered).waves.map(({ changes }) =>
        changes.map(({ unit, machine }) => `${unit} ${machine}`),
      );
      assert.deepEqual(wavesOf(unordered), shown);
    }),
    RUNS,
  );
});

/** The waves of an engine that waits for the shortest bake whenever there is nothing else to do. */
function wavesOf(input: RolloutInput): string[][] {
  const waves: string[][] = [];
  const baked = new Set<string>();
  let now: RolloutInput = { ...input, canaries: { ...input.canaries!, isBaked: (set) => baked.has(set) } };
  while (now.changes.length > 0) {
    // Who has no bake has baked once its wave is over.
    for (const { set, ms } of nextWave(now, nobodyWaits).baking) if (ms === 0) baked.add(set);
    const { made, held, placements, baking } = nextWave(now, nobodyWaits);
    const [next] = baking.toSorted((a, b) => a.ms - b.ms);
    if (made.length > 0) waves.push(made.map((change) => `${change.unit} ${machineOf(change)}`).sort());
    else {
      assert.ok(next !== undefined, `stuck with ${held.map((change) => change.unit)}`);
      for (const { set, ms } of baking) if (ms === next.ms) baked.add(set);
    }
    now = { ...now, changes: held, before: sidesOf(placements) };
  }
  return waves;
}

test("however slowly units come up and whichever fail, no set loses more than its budget to a wave", () => {
  const runs = fc.tuple(EASY, fc.infiniteStream(fc.constantFrom<ReplicaState>("up", "starting", "starting", "down")));
  fc.assert(
    fc.property(runs, ([input, fates]) => {
      const states = new Map<string, ReplicaState>();
      const stateOf = (unit: UnitName, machine: string) => states.get(`${unit} ${machine}`) ?? "up";
      let now: RolloutInput = { ...input, stateOf };
      for (let pass = 0; pass < 30; pass += 1) {
        const { held, placements } = nextWave(now, nobodyWaits);
        const made = now.changes.filter((change) => !held.includes(change));
        for (const change of made) {
          if (change.to !== null && STARTS.includes(change.effect)) {
            states.set(`${change.unit} ${change.to.machine}`, "starting");
          }
        }
        const wanted = placements.filter((placement) => /^web@/.test(placement.unit));
        const old = [...now.before].filter(([unit]) => /^web@/.test(unit)).flatMap(([, sides]) => sides);
        const up = wanted.filter(({ unit, machine }) => stateOf(unit, machine) === "up").length;
        const most = Math.min(
          ...input.spec.units.filter((unit) => /^web@/.test(unit.name)).map((unit) => unit.rollout.maxUnavailable),
        );
        const goal = input.spec.units.filter(({ name, goal }) => /^web@/.test(name) && goal === "launched").length;
        const isTakenDown = made.some(({ unit, effect }) => /^web@/.test(unit) && TAKES_DOWN.includes(effect));
        if (isTakenDown && Number.isFinite(most)) {
          assert.ok(up >= Math.min(goal, old.length) - most, `pass ${pass}: ${up} of ${goal} up, ${most} may be down`);
        }
        for (const [key, state] of states) if (state === "starting") states.set(key, fates.next().value!);
        now = { ...now, changes: held, before: sidesOf(placements) };
      }
    }),
    RUNS,
  );
});

test("who needs no running replica to go down is never held: what is new, and what a lost machine had", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: true, groups: false, conflicts: false }), (input) => {
      const unordered = {
        ...input,
        released: null,
        spec: { ...input.spec, units: input.spec.units.map((unit) => ({ ...unit, after: [] })) },
      };
      for (const { unit, from } of nextWave(unordered, nobodyWaits).held) {
        assert.ok(from !== null, `${unit} is new and held`);
        assert.ok(!input.isAway(from.machine), `${unit} was on a machine that is away and is held`);
        assert.equal(input.stateOf(unit, from.machine), "up");
      }
    }),
    RUNS,
  );
});

test("who moves is stopped first, and whom it may not meet comes after it, however long machines take to let go", () => {
  const hard = rolloutInputs({ losses: false, groups: true, conflicts: true });
  fc.assert(
    fc.property(fc.tuple(hard, DELAYS), ([input, delays]) => void lettingGo(input, delays)),
    RUNS,
  );
});

test("once machines have let go everything is where it is wanted", () => {
  fc.assert(
    fc.property(fc.tuple(EASY, DELAYS), ([input, delays]) => {
      assert.deepEqual(lettingGo(input, delays).before, sidesOf(input.after));
    }),
    RUNS,
  );
});

/** Asks again and again, while machines that are asked to let a unit go take their time for it; until nothing happens any more. */
function lettingGo(input: RolloutInput, delays: Iterator<number>): RolloutInput {
  const left = new Map<UnitName, number>();
  const isUp = ({ unit, from }: RolloutChange) => from!.goal !== "inactive" || left.get(unit)! > 0;
  const mustWait = (step: readonly RolloutChange[]) => step.some((change) => isMove(change) && isUp(change));
  let now = input;
  for (;;) {
    const { made, held, placements } = nextWave(now, mustWait);
    for (const change of made) {
      assert.ok(!isMove(change) || !isUp(change), `${change.unit} has not been let go`);
      assertMeetsNobody(now, change, held);
    }
    const letting = new Set(placements.filter(({ goal }) => goal === "inactive").map(({ unit }) => unit));
    if (made.length === 0 && [...letting].every((unit) => left.get(unit) === 0)) return now;
    for (const unit of letting) left.set(unit, Math.max(0, (left.get(unit) ?? delays.next().value!) - 1));
    const before = sidesOf(placements);
    const changes = held.map((change) => {
      const from = before.get(change.unit)?.find(({ machine }) => machine === change.from?.machine);
      return from === undefined ? change : { ...change, from };
    });
    now = { ...now, changes, before, stateOf: (unit) => (letting.has(unit) ? "down" : "up") };
  }
}

function assertMeetsNobody({ spec }: RolloutInput, coming: RolloutChange, held: readonly RolloutChange[]): void {
  if (coming.to === null || coming.from?.machine === coming.to.machine) return;
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const minds = (one: UnitName, other: UnitName) =>
    units.get(one)?.options.conflicts.some((glob) => compileGlob(glob)!(other)) === true;
  for (const going of held) {
    if (going.from?.machine !== coming.to.machine || going.to?.machine === coming.to.machine) continue;
    const isConflict = minds(coming.unit, going.unit) || minds(going.unit, coming.unit);
    assert.ok(!isConflict, `${coming.unit} comes while ${going.unit} is there`);
  }
}

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  const side = ({ machine, hash, goal }: Placement) => ({ machine, hash, goal });
  return new Map([...sides].sort(([a], [b]) => (a < b ? -1 : 1)).map(([unit, list]) => [unit, list.map(side)]));
}
