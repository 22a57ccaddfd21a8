import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { decodePlan } from "../../src/codec/plan/decode-plan.ts";
import { encodePlan } from "../../src/codec/plan/encode-plan.ts";
import type { ClusterSnapshot } from "../../src/domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../../src/domain/cluster/empty-snapshot.ts";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { CommitId, SpecHash, UnitHash, UnitName } from "../../src/domain/names.ts";
import type { Plan } from "../../src/domain/plan/plan.ts";
import { contentIdOf, planChanges, planIdOf } from "../../src/domain/plan/plan-changes.ts";
import { whatMoved } from "../../src/domain/plan/what-moved.ts";
import type { ClusterSpec } from "../../src/domain/spec/cluster-spec.ts";
import * as fc from "./fast-check.ts";
import { machines, specOf, unitSketches } from "./generators/cluster.ts";

const RUNS = { numRuns: 300 };
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const commit = "c".repeat(40) as CommitId;

/** Two commits of one repository, one after the other. */
const twoSpecs = fc.tuple(unitSketches, unitSketches, machines).map(([first, second, known]) => ({
  first: specOf(first),
  second: specOf(second),
  known,
}));

test("the plan of what was applied is empty", () => {
  fc.assert(
    fc.property(twoSpecs, ({ first, second, known }) => {
      const applied = after(planOf(first, emptySnapshot, known), first);
      assert.deepEqual(planOf(first, applied, known).changes, []);
      const updated = after(planOf(second, applied, known), second);
      assert.deepEqual(planOf(second, updated, known).changes, []);
    }),
    RUNS,
  );
});

test("the changes lead exactly from what is assigned to what is planned", () => {
  fc.assert(
    fc.property(twoSpecs, ({ first, second, known }) => {
      const before = planOf(first, emptySnapshot, known);
      const plan = planOf(second, after(before, first), known);
      const sides = new Map(before.placements.map((one) => [`${one.unit} ${one.machine}`, `${one.hash} ${one.goal}`]));
      for (const { unit, from, to } of plan.changes) {
        if (from !== null) {
          assert.equal(sides.get(`${unit} ${from.machine}`), `${from.hash} ${from.goal}`);
          sides.delete(`${unit} ${from.machine}`);
        }
        if (to !== null) sides.set(`${unit} ${to.machine}`, `${to.hash} ${to.goal}`);
      }
      const wanted = plan.placements.map((one) => [`${one.unit} ${one.machine}`, `${one.hash} ${one.goal}`]);
      assert.deepEqual([...sides].sort(), wanted.sort());
    }),
    RUNS,
  );
});

test("a plan records where everything was: under the snapshot it was made of no unit has moved, and every other move is said", () => {
  fc.assert(
    fc.property(twoSpecs, fc.nat(), ({ first, second, known }, pick) => {
      const snapshot = after(planOf(first, emptySnapshot, known), first);
      const plan = planOf(second, snapshot, known);
      const unitsMoved = (now: ClusterSnapshot) =>
        whatMoved(plan, now, null).flatMap((moved) => ("unit" in moved ? [moved.unit] : []));
      assert.deepEqual(unitsMoved(snapshot), []);
      if (known.length === 0 || snapshot.assignments.length === 0) return;
      const gone = snapshot.assignments[pick % snapshot.assignments.length]!;
      const assignments = snapshot.assignments.filter((assignment) => assignment !== gone);
      const sets = snapshot.sets.map((set) => ({
        ...set,
        placements: set.placements.filter(({ unit }) => unit !== gone.unit),
      }));
      assert.deepEqual(unitsMoved({ ...snapshot, assignments, sets }), [gone.unit]);
    }),
    RUNS,
  );
});

test("a saved plan is read as it was written", () => {
  fc.assert(
    fc.property(twoSpecs, ({ first, second, known }) => {
      const spec = { ...second, specHash: sha256(second.specHash) as SpecHash };
      const plan = planOf(spec, after(planOf(first, emptySnapshot, known), first), known);
      assert.deepEqual(decodePlan(encodePlan(plan)), { kind: "plan", plan });
    }),
    RUNS,
  );
});

test("the counts add up", () => {
  fc.assert(
    fc.property(twoSpecs, ({ first, second, known }) => {
      const plan = planOf(second, after(planOf(first, emptySnapshot, known), first), known);
      const { unchanged, unplaced, actions, effects } = plan.counts;
      for (const counts of [actions, effects]) {
        const changed = Object.values(counts).reduce((sum, count) => sum + count, 0);
        assert.equal(changed, plan.changes.length);
      }
      assert.equal(unchanged + plan.changes.filter((change) => change.to !== null).length, plan.placements.length);
      const placed = new Set(plan.placements.map((placement) => placement.unit)).size;
      assert.equal(placed + unplaced, second.units.filter((unit) => unit.goal !== "inactive").length);
      assert.equal(plan.waves.flatMap((wave) => wave.changes).length, plan.changes.length);
    }),
    RUNS,
  );
});

test("contentId does not see commit, reasons, revisions or machine names; it sees every act", () => {
  fc.assert(
    fc.property(twoSpecs, ({ first, second, known }) => {
      const snapshot = after(planOf(first, emptySnapshot, known), first);
      const plan = planOf(second, snapshot, known);
      const elsewhere = planChanges({
        spec: second,
        released: null,
        snapshot: { ...snapshot, revision: 99 },
        machines: known,
        commit: "d".repeat(40) as CommitId,
        partial: null,
        sha256,
      });
      assert.equal(elsewhere.contentId, plan.contentId);
      assert.notEqual(elsewhere.planId, plan.planId);
      const otherwise = plan.changes.map((change) => ({ ...change, reason: { code: "goal-changed" } as const }));
      assert.equal(contentIdOf({ ...plan, changes: otherwise }, sha256), plan.contentId);
      assert.equal(planIdOf(plan, sha256), plan.planId);
      fc.pre(plan.changes.length > 0);
      assert.notEqual(contentIdOf({ ...plan, changes: plan.changes.slice(1) }, sha256), plan.contentId);
    }),
    RUNS,
  );
});

function planOf(spec: ClusterSpec, snapshot: ClusterSnapshot, known: readonly Machine[]): Plan {
  return planChanges({ spec, released: null, snapshot, machines: known, commit, partial: null, sha256 });
}

/** The registry once the engine has written every placement of the plan. */
function after(plan: Plan, spec: ClusterSpec): ClusterSnapshot {
  const globals = new Set<UnitName>(spec.units.filter((unit) => unit.options.global).map((unit) => unit.name));
  const ids = [...new Set(plan.placements.map((placement) => placement.machine))].sort();
  return {
    ...emptySnapshot,
    revision: 7,
    assignments: plan.placements
      .filter((placement) => !globals.has(placement.unit))
      .map(({ unit, machine, hash, goal }) => ({ unit, machine, hash, goal, reason: "stayed", modRevision: 7 })),
    sets: ids.map((machine) => ({
      machine,
      header: null,
      headerModRevision: 7,
      placements: plan.placements
        .filter((placement) => placement.machine === machine)
        .map(({ unit, hash, goal }) => ({ unit, hash: hash as UnitHash, goal })),
    })),
  };
}
