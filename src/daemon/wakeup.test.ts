import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { backoffMs } from "./backoff.ts";
import { Wakeup } from "./wakeup.ts";

function world() {
  const clock = new VirtualClock();
  const wakeup = new Wakeup(clock);
  const stop = new AbortController();
  let rounds = 0;
  const wait = async (limitMs: number) => {
    await wakeup.wait(limitMs, stop.signal);
    rounds++;
  };
  return { clock, wakeup, stop, wait, rounds: () => rounds };
}

test("any number of wakes while the loop is busy are one round, and none is lost", async () => {
  const { clock, wakeup, wait, rounds } = world();
  wakeup.wake();
  wakeup.wake();
  void wait(1_000);
  await clock.advance(0);
  assert.equal(rounds(), 1);
  void wait(1_000);
  await clock.advance(999);
  assert.equal(rounds(), 1);
  wakeup.wake();
  await clock.advance(0);
  assert.equal(rounds(), 2);
});

test("with nothing to wake it, it goes on after the limit, and at once when it is told to stop", async () => {
  const { clock, stop, wait, rounds } = world();
  void wait(1_000);
  await clock.advance(1_000);
  assert.equal(rounds(), 1);
  void wait(1_000);
  stop.abort();
  await clock.advance(0);
  assert.equal(rounds(), 2);
});

test("waits double from a tenth of a second and stay at five, however often it failed", () => {
  assert.deepEqual([0, 1, 2, 5, 6, 1e9].map(backoffMs), [100, 200, 400, 3_200, 5_000, 5_000]);
});
