import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import type { ReleaseId } from "../rollout/rollout-record.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import type { Judged } from "./convergence.ts";
import { isStopped, type StoppedRollout, withRollout } from "./with-rollout.ts";

const RELEASE = { seq: 3, commit: "c", specHash: "s" } as unknown as ReleaseId;
const M0 = "0".repeat(32) as MachineId;
const [WEB, DB] = ["web.service", "db.service"] as UnitName[] as [UnitName, UnitName];
const failure = { unit: WEB, machine: M0, because: { code: "failed", detail: "exit-code" } } as const;
const rollout = (phase: StoppedRollout["phase"], failures = [failure]): StoppedRollout => ({
  ...startRollout(RELEASE, null, ""),
  phase,
  failures,
});
const up = (unit: UnitName): Judged => ({ unit, machine: M0, verdict: { kind: "converged" } });
const waits = (unit: UnitName, code: "not-placed" | "no-status"): Judged => ({
  ...{ unit, machine: M0, verdict: { kind: "waiting", because: { code } } },
});
const codes = (judged: readonly Judged[]) =>
  judged.map(({ unit, verdict }) => `${unit} ${"because" in verdict ? verdict.because.code : verdict.kind}`).sort();

test("what a rollout that has stopped was to change has failed with it; what is under way still is", () => {
  const judged = [waits(DB, "not-placed"), waits("e.service" as UnitName, "no-status")];
  assert.deepEqual(codes(withRollout(judged, rollout("held"))), [
    "db.service held",
    "e.service no-status",
    "web.service problem",
  ]);
});

test("what failed is told, however well the version runs that was put back", () => {
  const [db, web] = withRollout([up(DB), up(WEB)], rollout("rolled-back"));
  assert.deepEqual(
    [db?.verdict.kind, web?.verdict],
    [
      "converged",
      { kind: "failed", because: { code: "problem", problem: { code: "failed", detail: "exit-code", journal: [] } } },
    ],
  );
});

test("what its machine says of a failure now goes before what was written down", () => {
  const problem = { code: "start-failed", detail: "now", journal: ["line"] };
  const now: Judged = { unit: WEB, machine: M0, verdict: { kind: "failed", because: { code: "problem", problem } } };
  assert.deepEqual(withRollout([now], rollout("held")), [now]);
});

test("where nothing failed it was stopped by somebody", () => {
  assert.deepEqual(codes(withRollout([waits(DB, "not-placed")], rollout("aborted", []))), ["db.service stopped"]);
});

test("a rollout stops by failing or by somebody's word, and not by waiting", () => {
  const all = ["rolling", "done", "paused", "aborted", "held", "rolling-back", "rolled-back"] as const;
  const stopped = all.filter((phase) => isStopped({ ...startRollout(RELEASE, null, ""), phase }));
  assert.deepEqual(stopped, ["aborted", "held", "rolled-back"]);
  assert.equal(isStopped(null), false);
});
