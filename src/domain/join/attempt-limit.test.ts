import assert from "node:assert/strict";
import { test } from "node:test";
import { AttemptLimit, FORGIVEN_EACH_MS, REFUSED_MAX, REFUSED_MAX_OF_ALL } from "./attempt-limit.ts";

test("an address that is refused too often waits, the others do not", () => {
  const limit = new AttemptLimit();
  for (let count = 0; count < REFUSED_MAX; count += 1) {
    assert.equal(limit.waitMs("a", 0), 0);
    limit.refused("a", 0);
  }
  assert.equal(limit.waitMs("a", 0), FORGIVEN_EACH_MS);
  assert.equal(limit.waitMs("b", 0), 0);
});

test("time forgives, one attempt after the other", () => {
  const limit = new AttemptLimit();
  for (let count = 0; count < REFUSED_MAX; count += 1) limit.refused("a", 0);
  assert.equal(limit.waitMs("a", FORGIVEN_EACH_MS - 1), 1);
  assert.equal(limit.waitMs("a", FORGIVEN_EACH_MS), 0);
  limit.refused("a", FORGIVEN_EACH_MS);
  assert.equal(limit.waitMs("a", FORGIVEN_EACH_MS), FORGIVEN_EACH_MS);
  assert.equal(limit.waitMs("a", 1_000 * FORGIVEN_EACH_MS), 0);
});

test("whoever has many addresses is slowed down all the same, and the memory has an end", () => {
  const limit = new AttemptLimit();
  for (let count = 0; count < REFUSED_MAX_OF_ALL; count += 1) limit.refused(`address ${count}`, 0);
  assert.equal(limit.waitMs("another", 0), FORGIVEN_EACH_MS);
  const forgotten = new AttemptLimit();
  for (let count = 0; count < REFUSED_MAX; count += 1) forgotten.refused("first", 0);
  for (let count = 0; count < 1_000; count += 1) forgotten.refused(`address ${count}`, 0);
  assert.equal(forgotten.waitMs("first", 1_000 * FORGIVEN_EACH_MS), 0);
});
