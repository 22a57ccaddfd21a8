import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../../domain/names.ts";
import type { SyncReport } from "../../domain/report/sync-report.ts";
import { syncTexts } from "./sync-text.ts";

const NOW = Date.parse("2026-01-02T00:00:00Z");
const since = "2026-01-01T23:00:00Z";
const commit = "a".repeat(40) as CommitId;

const CASES: readonly (readonly [what: string, report: SyncReport, lines: readonly string[]])[] = [
  ["nothing is wrong", {}, []],
  [
    "a source that is away",
    { trouble: { code: "source-unreachable", detail: "no answer", since } },
    [`cannot be looked at, since ${since} (60 min ago): source-unreachable: no answer`],
  ],
  [
    "for long",
    { trouble: { code: "source-unreachable", detail: "no answer", since, isFrozen: true } },
    [`frozen: nobody could look at it, since ${since} (60 min ago): source-unreachable: no answer`],
  ],
  [
    "a branch that can be looked at, and stands still",
    { trouble: { code: "branch-old", detail: "the last commit is old", since, isFrozen: true } },
    [`frozen, since ${since} (60 min ago): branch-old: the last commit is old`],
  ],
  [
    "a commit that is held, beside it",
    { held: { commit, since, reason: { code: "locked", by: "ci" } }, trouble: { code: "x", detail: "y", since } },
    [
      `commit aaaaaaa is held, since ${since} (60 min ago): ci holds the lock of those who apply`,
      `cannot be looked at, since ${since} (60 min ago): x: y`,
    ],
  ],
];

test("what the engine makes of the branch is a line for each thing that is wrong with it", () => {
  for (const [what, report, lines] of CASES) assert.deepEqual(syncTexts(report, NOW), lines, what);
});
