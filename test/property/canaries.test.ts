import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import type { PlacedSide } from "../../src/domain/placement/placed-now.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { machineOf } from "../../src/domain/plan/diff-placements.ts";
import { nextWave } from "../../src/domain/rollout/next-wave.ts";
import {
  planRollout,
  type ReplicaState,
  type RolloutChange,
  type RolloutInput,
} from "../../src/domain/rollout/plan-rollout.ts";
import type { Wave } from "../../src/domain/rollout/wave.ts";
import type { Canary, SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { unitNameParts } from "../../src/domain/unit/unit-name.ts";
import * as fc from "./fast-check.ts";
import { rolloutInputs } from "./generators/rollout.ts";

const RUNS = { numRuns: 1500 };
/** Nobody is tied to another's canary, and no order asks for another than the canaries' own. */
const ALONE = rolloutInputs({ losses: false, groups: false, conflicts: false, canaries: true }).map((input) => ({
  ...input,
  released: null,
  spec: { ...input.spec, units: input.spec.units.map((unit) => ({ ...unit, after: [] })) },
}));

test("no wave changes more of a set than maxParallel allows", () => {
  fc.assert(
    fc.property(rolloutInputs({ losses: true, groups: false, conflicts: false, canaries: true }), (input) => {
      for (const wave of planRollout(input).waves) {
        const counted = changesOf(input, wave).filter(({ from }) => from === null || !input.isAway(from.machine));
        for (const [set, changes] of Map.groupBy(counted, ({ unit }) => setOf(unit))) {
          const limits = unitsOf(input, set).map(({ rollout }) => rollout.maxParallel ?? Number.POSITIVE_INFINITY);
          assert.ok(changes.length <= Math.min(Number.POSITIVE_INFINITY, ...limits), `${changes.length} of ${set}`);
        }
      }
    }),
    RUNS,
  );
});

test("canaries change first and alone, and the others after them, once they have baked", () => {
  let waited = 0;
  fc.assert(
    fc.property(ALONE, (input) => {
      const { waves } = planRollout(input);
      for (const set of new Set(input.spec.units.map(({ name }) => setOf(name)))) {
        const policy = policyOf(input, set);
        if (policy === null) continue;
        const { canaries, others } = split(input, set, policy.canary);
        if (canaries.length === 0 || others.length === 0) continue;
        waited += 1;
        const last = Math.max(...canaries.map((change) => waveOf(waves, change)));
        const first = Math.min(...others.map((change) => waveOf(waves, change)));
        assert.ok(first > last, `${set}: others in wave ${first}, canaries up to wave ${last}`);
        const bakes = waves.filter(({ after }) => after?.kind === "bake" && after.sets.includes(set));
        assert.equal(bakes.length, policy.bakeMs > 0 ? 1 : 0);
        if (policy.bakeMs === 0) continue;
        const { after } = bakes[0]!;
        assert.ok(after?.kind === "bake" && after.ms === policy.bakeMs);
        assert.ok(waves.indexOf(bakes[0]!) <= first && waves.indexOf(bakes[0]!) > last);
      }
    }),
    RUNS,
  );
  assert.ok(waited > 200, `only ${waited} sets had canaries and others`);
});

test("however slowly units come up, whichever fail and wherever it is cut short: no other changes before the bake, and never more at once", () => {
  const fates = fc.infiniteStream(fc.constantFrom<ReplicaState>("up", "up", "starting", "down"));
  fc.assert(
    fc.property(fc.tuple(ALONE, fates), ([input, next]) => {
      const sets = [...new Set(input.spec.units.map(({ name }) => setOf(name)))];
      const parts = new Map(
        sets.flatMap((set) => {
          const policy = policyOf(input, set);
          return policy === null ? [] : [[set, split(input, set, policy.canary)] as const];
        }),
      );
      const states = new Map<string, ReplicaState>();
      let now: RolloutInput = { ...input, stateOf: (unit, machine) => states.get(`${unit} ${machine}`) ?? "up" };
      for (let pass = 0; pass < 20; pass += 1) {
        const { made, held, placements } = nextWave(now, () => false);
        for (const set of sets) {
          const own = made.filter(({ unit }) => setOf(unit) === set);
          const limit = Math.min(...unitsOf(input, set).map(({ rollout }) => rollout.maxParallel ?? 1_000));
          assert.ok(own.length <= limit, `pass ${pass}: ${own.length} of ${set}`);
          // Of what is as it is wanted and not up: somebody of the set is under way, or has failed.
          const isBusy = [...now.before].some(
            ([unit, sides]) =>
              setOf(unit) === set &&
              sides.some(
                ({ machine }) =>
                  now.stateOf(unit, machine) !== "up" &&
                  !now.changes.some((change) => change.unit === unit && change.from?.machine === machine),
              ),
          );
          assert.ok(own.length === 0 || limit === 1_000 || !isBusy, `pass ${pass}: ${set} is not up, and goes on`);
          const part = parts.get(set);
          if (part === undefined || part.canaries.length === 0) continue;
          const early = own.filter((change) => part.others.some((other) => keyOf(other) === keyOf(change)));
          assert.deepEqual(early, [], `pass ${pass}: ${set} does not wait for its canaries`);
        }
        for (const { unit, to, effect } of made) {
          if (to !== null && ["start", "restart", "move"].includes(effect))
            states.set(`${unit} ${to.machine}`, "starting");
        }
        for (const [key, state] of states) if (state === "starting") states.set(key, next.next().value!);
        now = { ...now, changes: held, before: sidesOf(placements) };
      }
    }),
    RUNS,
  );
});

test("without a release before there are no canaries", () => {
  fc.assert(
    fc.property(ALONE, (input) => {
      const base = { isKnown: true, unit: () => null, on: () => null };
      const first = { ...input, canaries: { ...input.canaries!, base } };
      const { canaries: _, ...never } = input;
      assert.deepEqual(planRollout(first), planRollout(never));
    }),
    RUNS,
  );
});

test("once all canaries have baked nobody waits for any", () => {
  fc.assert(
    fc.property(ALONE, (input) => {
      const baked = { ...input, canaries: { ...input.canaries!, isBaked: () => true } };
      const { canaries: _, ...never } = input;
      assert.deepEqual(planRollout(baked), planRollout(never));
    }),
    RUNS,
  );
});

/** By the words of the documentation: the first of a number by unit, then machine, of what was there and changes; or those on machines that match. */
function split(input: RolloutInput, set: string, canary: Canary) {
  const versions = input.changes.filter(
    ({ unit, from, to }) => setOf(unit) === set && to !== null && from?.hash !== to.hash,
  );
  const candidates = versions
    .filter(({ unit }) => input.canaries!.base.unit(unit) !== null)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const isMatched = ({ to }: RolloutChange) => {
    if ("count" in canary) return false;
    const { match } = canary;
    if (match.kind === "machine") return to!.machine === match.nameOrId;
    return ["m1", "m3"].includes(to!.machine);
  };
  const canaries = "count" in canary ? candidates.slice(0, canary.count) : candidates.filter(isMatched);
  return { canaries, others: versions.filter((change) => !canaries.includes(change)) };
}

function sidesOf(placements: readonly Placement[]): Map<UnitName, readonly PlacedSide[]> {
  const sides = Map.groupBy(placements, (placement) => placement.unit);
  const side = ({ machine, hash, goal }: Placement) => ({ machine, hash, goal });
  return new Map([...sides].map(([unit, list]) => [unit, list.map(side)]));
}

function policyOf(input: RolloutInput, set: string): { readonly canary: Canary; readonly bakeMs: number } | null {
  const units = unitsOf(input, set).sort((a, b) => (a.name < b.name ? -1 : 1));
  const first = units.find(({ rollout }) => rollout.canary !== undefined);
  if (first === undefined) return null;
  return { canary: first.rollout.canary!, bakeMs: Math.max(...units.map(({ rollout }) => rollout.bakeMs ?? 0)) };
}

function unitsOf({ spec }: RolloutInput, set: string): SpecUnit[] {
  return spec.units.filter(({ name }) => setOf(name) === set);
}

function setOf(unit: UnitName): string {
  return unitNameParts(unit).template ?? unit;
}

function keyOf(change: RolloutChange): string {
  return `${change.unit} ${machineOf(change)}`;
}

function changesOf({ changes }: RolloutInput, wave: Wave): RolloutChange[] {
  const keys = new Set(wave.changes.map(({ unit, machine }) => `${unit} ${machine}`));
  return changes.filter((change) => keys.has(keyOf(change)));
}

function waveOf(waves: readonly Wave[], change: RolloutChange): number {
  return waves.findIndex((wave) =>
    wave.changes.some(({ unit, machine }) => unit === change.unit && machine === machineOf(change)),
  );
}
