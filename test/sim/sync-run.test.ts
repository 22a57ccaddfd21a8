import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "./run-seed.ts";

/** The same storms where nobody says apply: the engine follows the branch. `npm run sim -- --sync --seeds A..B` runs more. */
const SEEDS = 6;

for (const seed of Array.from({ length: SEEDS }, (_, index) => index + 1)) {
  test(`seed ${seed}, by sync`, async () => {
    const { violations, trace, faults } = await runSeed(seed, {}, undefined, true);
    const replay = `replay: npm run sim -- --sync --seed ${seed}`;
    const story = [...violations, `faults: ${faults.join(", ")}`, ...trace.slice(-25), replay];
    assert.equal(violations.length, 0, story.join("\n"));
    assert.ok(trace.some((line) => /engine: places release [2-9]/.test(line)) || faults.length > 0, "it follows");
  });
}
