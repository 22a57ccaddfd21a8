import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import type { ReleaseId, RolloutRecord } from "../rollout/rollout-record.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import { stoppedWaits } from "./stopped-waits.ts";

const record = (changes: Partial<RolloutRecord>): RolloutRecord => ({
  ...startRollout({ seq: 3, commit: "c", specHash: "s" } as unknown as ReleaseId, null, ""),
  ...changes,
});
const M0 = "0".repeat(32) as MachineId;
const left = (...names: readonly string[]) => names.map((unit) => ({ unit: unit as UnitName, machine: M0 }));
const failed = { unit: "web@1.service" as UnitName, machine: M0, because: { code: "failed", detail: "" } } as const;

test("what a rollout that is held leaves as it is waits for what failed", () => {
  const waits = stoppedWaits(record({ phase: "held", failures: [failed] }), left("z", "a", "a", "web@1.service"));
  const blocker = { unit: failed.unit, machine: M0, state: "down" };
  assert.deepEqual(waits, [{ code: "wave", units: ["a", "z"], more: 0, for: [blocker] }]);
});

test("the other copies of a global unit wait for the one that failed", () => {
  const other = { ...failed, machine: "1".repeat(32) as MachineId };
  const [wait] = stoppedWaits(record({ phase: "held", failures: [failed] }), [other]);
  assert.deepEqual(wait?.units, [failed.unit]);
});

test("what is paused waits for nobody who runs, ten are named, and of what goes on nothing is said here", () => {
  const many = left(...Array.from({ length: 12 }, (_, index) => `u${index}`));
  const [wait] = stoppedWaits(record({ phase: "paused" }), many);
  assert.ok(wait?.code === "wave");
  assert.deepEqual([wait.units.length, wait.more, wait.for], [10, 2, []]);
  for (const phase of ["rolling", "done", "rolled-back"] as const)
    assert.deepEqual(stoppedWaits(record({ phase }), many), [], phase);
  assert.deepEqual(stoppedWaits(record({ phase: "held" }), []), []);
});
