import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { Seldom } from "./seldom.ts";

test("one thing is said once in a while, another one at once", async () => {
  const clock = new VirtualClock();
  const seldom = new Seldom(clock, 1_000);
  assert.deepEqual([seldom.isDue("a"), seldom.isDue("a"), seldom.isDue("b")], [true, false, true]);
  await clock.advance(999);
  assert.equal(seldom.isDue("a"), false);
  await clock.advance(1);
  assert.deepEqual([seldom.isDue("a"), seldom.isDue("a")], [true, false]);
});

test("whoever says ever new things makes it forget the oldest, and nothing more", () => {
  const seldom = new Seldom(new VirtualClock(), 1_000);
  for (let count = 0; count < 101; count++) seldom.isDue(`thing ${count}`);
  assert.deepEqual([seldom.isDue("thing 100"), seldom.isDue("thing 0")], [false, true]);
});
