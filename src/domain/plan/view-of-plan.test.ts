import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { CommitId, UnitName } from "../names.ts";
import { planChanges, planIdOf } from "./plan-changes.ts";
import { patternsWithoutUnits, viewOfPlan } from "./view-of-plan.ts";

const sha256 = (text: string) => text;
const NAMES = ["db.service", "web@1.service", "web@2.service", "web@3.service"];
const member = { id: machineId(0), name: "m0", address: "", metadata: {}, bootId: "", version: "", joined: "" };
const snapshot = { ...emptySnapshot, members: [{ ...member, acceptedSeq: 0, present: true, presenceRevision: 1 }] };
const spec = specOf(
  NAMES.map((name, index) => {
    const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
    return {
      name,
      group: index,
      global: false,
      goal: "launched" as const,
      ...constraints,
      move: "auto" as const,
      text: "",
    };
  }),
);
const plan = planChanges({
  spec,
  released: null,
  snapshot,
  machines: machinesOf(spec, snapshot, new Set()),
  commit: "c".repeat(40) as CommitId,
  partial: null,
  sha256,
});

const CASES: readonly [string, readonly string[], readonly string[], readonly string[], string][] = [
  ["only one by its name", ["db.service"], [], ["db.service"], "only db.service"],
  ["only those of a pattern", ["web@*"], [], ["web@1.service", "web@2.service", "web@3.service"], "only web@*"],
  ["all but some", [], ["web@[12].service"], ["db.service", "web@3.service"], "all but web@[12].service"],
  [
    "both: what is excluded is out",
    ["web@*"],
    ["web@2.service"],
    ["web@1.service", "web@3.service"],
    "only web@* and all but web@2.service",
  ],
];

for (const [says, only, exclude, units, partial] of CASES) {
  test(`a view shows ${says}, says so, and has its own identity`, () => {
    const view = viewOfPlan(plan, { only, exclude }, sha256);
    assert.deepEqual(
      view.changes.map((change) => change.unit),
      units,
    );
    assert.deepEqual(
      view.placements.map((placement) => placement.unit),
      units,
    );
    assert.deepEqual(view.waves.flatMap((wave) => wave.changes.map((change) => change.unit)).sort(), units);
    assert.equal(view.counts.actions.add, units.length);
    assert.equal(view.partial, partial);
    assert.equal(planIdOf(view, sha256), view.planId);
    assert.notEqual(view.contentId, plan.contentId);
  });
}

test("a pattern that matches nothing is told, and so is one that is none", () => {
  const selection = { only: ["db.service", "wbe@*"], exclude: ["[a"] };
  assert.deepEqual(patternsWithoutUnits(selection, NAMES as UnitName[]), ["wbe@*", "[a"]);
});
