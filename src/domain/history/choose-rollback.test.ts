import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, SpecHash } from "../names.ts";
import { chooseRollback } from "./choose-rollback.ts";

const releases = (commits: string) => [...commits].map((commit, at) => ({ seq: at + 1, commit: commit as CommitId }));
const rollout = (phase: "done" | "held" | "rolled-back", base: string) => ({
  phase,
  base: { seq: 1, commit: base as CommitId, specHash: "" as SpecHash },
});

const cases: readonly (readonly [
  says: string,
  commits: string,
  rollout: ReturnType<typeof rollout> | null,
  back: number | null,
  expected: string,
])[] = [
  ["nothing was released: there is nothing to go back to", "", null, null, "no-release"],
  ["the first release has none before it", "a", null, null, "no-earlier"],
  ["without a word of rollouts, the one before", "abc", null, null, "b"],
  ["the last that ended well, over one that did not", "abc", rollout("held", "a"), null, "a, failed"],
  ["a release of the same commit is none to go back to", "abb", null, null, "a"],
  ["so many before, whatever became of them", "abc", rollout("held", "a"), 1, "b, failed"],
  ["two before", "abc", rollout("done", "c"), 2, "a"],
  ["more than there were", "abc", null, 3, "no-earlier"],
  ["what ended well is in force: the one before it", "abc", rollout("done", "c"), null, "b"],
];

for (const [says, commits, record, back, expected] of cases) {
  test(says, () => {
    const chosen = chooseRollback(releases(commits), record, back);
    const told = chosen.kind === "none" ? chosen.because : `${chosen.release.commit}${chosen.failed ? ", failed" : ""}`;
    assert.equal(told, expected);
  });
}
