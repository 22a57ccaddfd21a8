import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "./run-seed.ts";

/**
 * A few dozen clusters, each with three minutes of faults and commits and two of peace, on a virtual clock. Seeds that once found a
 * bug come first (test/TRACK_RECORD.md), then those in which a checker once was wrong: 1250 (a stop by hand that a start cancels), 4012 (an
 * order that waits for a machine to go on) and 5033 (no engine for a while); more are run by `npm run soak`.
 */
const REGRESSIONS: readonly number[] = [56, 60, 85, 145, 249, 257, 305, 1084, 1250, 4012, 5033];
const FRESH = 16;

for (const seed of [...REGRESSIONS, ...Array.from({ length: FRESH }, (_, index) => index + 1)]) {
  test(`seed ${seed}`, async () => {
    const { violations, trace, faults } = await runSeed(seed);
    const story = [
      ...violations,
      `faults: ${faults.join(", ")}`,
      ...trace.slice(-25),
      `replay: npm run sim -- --seed ${seed}`,
    ];
    assert.equal(violations.length, 0, story.join("\n"));
  });
}

test("the same seed is the same run, line by line", async () => {
  const [first, second] = [await runSeed(7), await runSeed(7)];
  assert.equal(first.hash, second.hash);
  assert.ok(first.trace.length > 50);
});
