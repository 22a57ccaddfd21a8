import assert from "node:assert/strict";
import { test } from "node:test";
import type { Release } from "../cluster/cluster-snapshot.ts";
import type { CommitId, MachineId, SpecHash, UnitName } from "../names.ts";
import type { RolloutRecord } from "../rollout/rollout-record.ts";
import type { StoredOrder } from "../rollout/rollouts.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import type { EngineReport } from "./engine-report.ts";
import type { RolloutReport } from "./rollout-report.ts";
import { rolloutStatus as statusOf } from "./rollout-status.ts";

const NOW_MS = Date.parse("2026-01-01T00:05:00.000Z");
const release = { seq: 2, commit: "c" as CommitId, specHash: "s" as SpecHash } as Release;
const begun: RolloutRecord = startRollout(release, null, "2026-01-01T00:00:00.000Z");
const rolloutStatus = (of: Parameters<typeof statusOf>[0], word: EngineReport | null, nowMs: number) =>
  statusOf(of, word, nowMs, (ms) => new Date(ms).toISOString());
const snapshot = (record: RolloutRecord, orders: readonly StoredOrder[] = []) => ({
  release,
  rollouts: { records: [{ seq: 2, record, modRevision: 7 }], orders },
});
const told: RolloutReport = {
  ...{ seq: 2, phase: "rolling", since: begun.since, base: null, openRings: 1, failures: [], changed: 3, left: 4 },
  window: { ring: "b", text: "Sat,Sun 01:00-05:00" },
};
const report = (rollout?: RolloutReport): EngineReport => ({
  ...{ leader: "m1", releaseSeq: 2, problem: null, unplaced: [] },
  ...(rollout === undefined ? {} : { rollout }),
});

test("before any engine has taken the release up there is none, nor of a release that another cluster numbered so", () => {
  assert.equal(rolloutStatus({ release }, report(), NOW_MS), null);
  const other = { ...begun, release: { ...begun.release, commit: "d" as CommitId } };
  assert.equal(rolloutStatus(snapshot(other), report(), NOW_MS), null);
});

test("what the engine says beside the record is told, with the window's next opening", () => {
  const status = rolloutStatus(snapshot(begun), report(told), NOW_MS)!;
  assert.deepEqual([status.changed, status.left], [3, 4]);
  assert.equal(status.window?.opens, "2026-01-03T01:00:00.000Z");
  assert.equal(status.leaderless, undefined);
  assert.equal(rolloutStatus(snapshot(begun), null, NOW_MS)?.leaderless, true);
});

test("an engine's word of another phase or release is older than the record, which counts", () => {
  const held: RolloutRecord = {
    ...begun,
    phase: "held",
    failures: [{ unit: "a" as UnitName, machine: "m" as MachineId, because: { code: "failed", detail: "exit-code" } }],
  };
  for (const word of [told, { ...told, phase: "held" as const, seq: 1 }]) {
    const status = rolloutStatus(snapshot(held), report(word), NOW_MS)!;
    assert.deepEqual(
      [status.phase, status.changed, status.window, status.failures.length],
      ["held", undefined, undefined, 1],
    );
  }
});

test("the last order is told with who gave it, and whether it has been heard", () => {
  const order: StoredOrder = { seq: 2, order: "pause", by: "ada", at: "then", reason: "lunch", revision: 9 };
  const heardAt = (orderRevision: number) =>
    rolloutStatus(snapshot({ ...begun, orderRevision }, [order]), null, NOW_MS)?.order;
  assert.deepEqual(heardAt(8), { order: "pause", by: "ada", at: "then", reason: "lunch", obeyed: false });
  assert.equal(heardAt(9)?.obeyed, true);
  const earlier = rolloutStatus(snapshot(begun, [{ ...order, seq: 1 }]), null, NOW_MS);
  assert.equal(earlier?.order, undefined);
});
