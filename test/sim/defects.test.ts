import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFECTS, FORGETFUL } from "./defects.ts";
import { runSeed } from "./run-seed.ts";

/** A checker that never fails proves nothing: each of these must be noticed. Runs may shift with the product, hence several tries. */
const TRIES = 20;

for (const { name, shownBy, defects } of DEFECTS) {
  test(`noticed: ${name}`, async () => {
    for (let seed = shownBy; seed < shownBy + TRIES; seed++) {
      const { violations } = await runSeed(seed, defects);
      if (violations.length > 0) return;
    }
    assert.fail(`nobody noticed in seeds ${shownBy} to ${shownBy + TRIES - 1}`);
  });
}

test("an agent that forgets what it accepted stops nothing", async () => {
  for (const seed of [1, 2, 4]) assert.deepEqual((await runSeed(seed, FORGETFUL)).violations, [], `seed ${seed}`);
});
