import assert from "node:assert/strict";
import { test } from "node:test";
import type { Release } from "../cluster/cluster-snapshot.ts";
import type { CommitId, SpecHash } from "../names.ts";
import type { RolloutPhase } from "../rollout/rollout-record.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import { stoppedRelease } from "./stopped-release.ts";

const release = { seq: 2, commit: "c" as CommitId, specHash: "bad" as SpecHash } as Release;
const base = { seq: 1, commit: "b" as CommitId, specHash: "good" as SpecHash };
const at = (phase: RolloutPhase) => ({
  release,
  rollouts: {
    records: [{ seq: 2, record: { ...startRollout(release, null, ""), phase, base }, modRevision: 1 }],
    orders: [],
  },
});

test("a release is told to a plan once its rollout ended before its end", () => {
  const stopped = (["held", "aborted", "rolled-back"] as const).map((phase) =>
    stoppedRelease(at(phase), "next" as SpecHash),
  );
  assert.deepEqual(
    stopped.map((one) => [one?.seq, one?.phase, one?.base, one?.isPlanned]),
    ["held", "aborted", "rolled-back"].map((phase) => [2, phase, 1, false]),
  );
  for (const phase of ["rolling", "done", "paused", "rolling-back"] as const) {
    assert.equal(stoppedRelease(at(phase), "next" as SpecHash), null);
  }
  assert.equal(stoppedRelease({ release }, "next" as SpecHash), null);
});

test("a plan of the texts that failed is told as that", () => {
  assert.equal(stoppedRelease(at("held"), "bad" as SpecHash)?.isPlanned, true);
});
