import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../names.ts";
import type { MemoryFacts, Seen, StandaloneFacts } from "./doctor-facts.ts";
import { judgeStandalone } from "./judge-standalone.ts";

const TIP = "a".repeat(40) as CommitId;
const OLD = "b".repeat(40) as CommitId;
const problem = { code: "mass-stop", detail: "it stops 4 of 5 units", journal: [] };
const state: NonNullable<StandaloneFacts["state"]> = { cluster: "edge", commit: TIP, tip: TIP, problem: null };

const memoryOf = (clusterId: string | null): Seen<MemoryFacts> => ({
  kind: "seen",
  value: { clusterId, clusterName: "edge", releaseSeq: 1, placed: 0, damaged: [], isBootSetCut: false },
});
const own = memoryOf("standalone:edge");
const UNSEEN: Seen<MemoryFacts> = { kind: "unseen", why: "denied", detail: "" };

const CASES: readonly [string, StandaloneFacts["state"], Seen<MemoryFacts>, string, string][] = [
  ["it is at the tip", state, own, "edge, alone: commit aaaaaaaaaaaa, the branch's tip", ""],
  ["it has nothing yet", { ...state, commit: null, tip: null }, memoryOf(null), "edge, alone: no commit yet", ""],
  ["it is not root's to see", state, UNSEEN, "edge, alone: commit aaaaaaaaaaaa, the branch's tip", ""],
  ["its agent does not answer", null, own, "follows git alone; its agent does not say how far it is", ""],
  [
    "something is in the way",
    { ...state, commit: OLD, problem },
    own,
    "edge, alone: commit bbbbbbbbbbbb",
    "standalone-behind",
  ],
  [
    "it is a cluster's machine",
    null,
    memoryOf("3f2a9c41"),
    "this machine belongs to cluster edge, and is told to follow git alone",
    "standalone-joined",
  ],
];

for (const [says, state, memory, saw, codes] of CASES) {
  test(says, () => {
    const verdict = judgeStandalone({ state }, memory);
    assert.deepEqual([verdict.saw, verdict.findings.map(({ code }) => code).join()], [saw, codes]);
  });
}
