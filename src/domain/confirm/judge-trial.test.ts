import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeTrial, type TrialNews, type TrialVerdict, withinAfterStarts } from "./judge-trial.ts";

/** Ninety seconds: settled five seconds after the change was done, a question is given up on after five. */
const WITHIN_MS = 90_000;
const started: TrialNews = { startedMs: 0, doneMs: null, heardMs: null, unheardMs: null };
const done: TrialNews = { ...started, doneMs: 10_000 };

const CASES: readonly (readonly [string, TrialNews, number, TrialVerdict])[] = [
  ["just begun", started, 1, "wait"],
  ["done, nothing asked yet", done, 11_000, "wait"],
  ["an answer to a question from before the change is none", { ...done, heardMs: 9_000 }, 12_000, "wait"],
  ["an answer from before it has settled is none", { ...done, heardMs: 14_999 }, 16_000, "wait"],
  ["an answer to a question from after it has settled", { ...done, heardMs: 15_000 }, 15_001, "confirmed"],
  ["an answer while something is still to come is none", { ...started, heardMs: 60_000 }, 61_000, "wait"],
  ["silent to the end since it was done", { ...done, unheardMs: 96_000 }, 100_000, "restore"],
  ["silent to one millisecond before the end", { ...done, unheardMs: 96_000 }, 99_999, "wait"],
  ["silent to the end, and not asked at the end: the process slept", { ...done, unheardMs: 40_000 }, 500_000, "wait"],
  ["silent to the end, and never asked", done, 500_000, "wait"],
  [
    "heard of while it settled, silent since: counts from then",
    { ...done, heardMs: 14_000, unheardMs: 100_000 },
    103_999,
    "wait",
  ],
  [
    "heard of while it settled, silent for all of it since",
    { ...done, heardMs: 14_000, unheardMs: 100_000 },
    104_000,
    "restore",
  ],
  ["cut off before it was done, and it never is", { ...started, unheardMs: 86_000 }, 90_000, "restore"],
  [
    "a slow change that is heard of all the time",
    { ...started, heardMs: 500_000, unheardMs: 400_000 },
    505_000,
    "wait",
  ],
  ["an answer at the last moment", { ...done, heardMs: 99_999, unheardMs: 96_000 }, 100_001, "confirmed"],
];

for (const [because, news, nowMs, verdict] of CASES) {
  test(`${because}: ${verdict}`, () => assert.equal(judgeTrial(news, WITHIN_MS, nowMs), verdict));
}

test("however often a machine comes up anew, it is cut off for twice the time at most", () => {
  let totalMs = 0;
  for (let starts = 0; starts <= 10; starts++) totalMs += withinAfterStarts(WITHIN_MS, starts);
  assert.ok(totalMs < 2 * WITHIN_MS);
  assert.ok(withinAfterStarts(WITHIN_MS, 1_000_000) > 0);
});
