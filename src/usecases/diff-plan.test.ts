import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../test/compile-repository.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Change, Plan } from "../domain/plan/plan.ts";
import { diffPlan } from "./diff-plan.ts";

const MACHINE = "0".repeat(32) as MachineId;

function specOf(command: string) {
  const { spec } = compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: c\n",
    "units/a.service": `[Service]\nExecStart=/bin/${command}\n`,
    "units/b.service": "[Service]\nExecStart=/bin/true\n",
  });
  return spec!;
}

function planOf(change: Partial<Change>): Plan {
  const side = { machine: MACHINE, hash: "h", goal: "launched" } as Change["to"];
  const whole = {
    action: "restart",
    unit: "a.service" as UnitName,
    from: side,
    to: side,
    reason: { code: "files-changed" },
    ...change,
  };
  return { machines: [{ id: MACHINE, name: "m1" }], changes: [whole] } as unknown as Plan;
}

test("a changed unit shows its file before and after", () => {
  assert.deepEqual(diffPlan(planOf({}), specOf("new"), specOf("old"), sha256), [
    {
      unit: "a.service",
      path: "a.service",
      before: "[Service]\nExecStart=/bin/old\n",
      after: "[Service]\nExecStart=/bin/new\n",
    },
  ]);
});

test("a unit that goes has no after, and one that comes has no before", () => {
  assert.equal(diffPlan(planOf({ to: null }), specOf("new"), specOf("old"), sha256)[0]?.after, null);
  assert.equal(diffPlan(planOf({ from: null }), specOf("new"), specOf("old"), sha256)[0]?.before, null);
});

test("where the release's commit is not in this repository, everything is new", () => {
  assert.equal(diffPlan(planOf({}), specOf("new"), null, sha256)[0]?.before, null);
});

test("a move without a change of files shows nothing", () => {
  assert.deepEqual(diffPlan(planOf({ action: "move" }), specOf("same"), specOf("same"), sha256), []);
});
