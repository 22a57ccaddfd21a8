import assert from "node:assert/strict";
import { constants, setPriority } from "node:os";
import { test } from "node:test";
import { DEFECTS, FORGETFUL } from "./defects.ts";
import { ENGINE_DEFECTS } from "./engine-defects.ts";
import { runSeed } from "./run-seed.ts";

/** A checker that never fails proves nothing: each of these must be noticed. Runs may shift with the product, hence several tries. */
const TRIES = 20;

// Beside labs, whose leases end by the clock.
setPriority(constants.priority.PRIORITY_LOW);

for (const { name, shownBy, defects, faults } of [...DEFECTS, ...ENGINE_DEFECTS]) {
  test(`noticed: ${name}`, async () => {
    for (let seed = shownBy; seed < shownBy + TRIES; seed++) {
      const { violations } = await runSeed(seed, defects, faults);
      if (violations.length === 0) continue;
      // Without the defect nothing is wrong with that very seed.
      assert.deepEqual((await runSeed(seed, {}, faults)).violations, [], `seed ${seed}`);
      return;
    }
    assert.fail(`nobody noticed in seeds ${shownBy} to ${shownBy + TRIES - 1}`);
  });
}

test("an agent that forgets what it accepted stops nothing", async () => {
  for (const seed of [1, 2, 4]) assert.deepEqual((await runSeed(seed, FORGETFUL)).violations, [], `seed ${seed}`);
});
