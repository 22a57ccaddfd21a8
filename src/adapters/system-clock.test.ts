import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./system-clock.ts";

test("a sleep lasts at least as long as asked, on the clock that never goes back", async () => {
  const start = systemClock.monotonicMs();
  await systemClock.sleep(20);
  // Timers are set in whole milliseconds, so one may fire a fraction early.
  assert.ok(systemClock.monotonicMs() - start >= 19);
});

test("an aborted sleep resolves at once and leaves no listener behind", async () => {
  const abort = new AbortController();
  const sleeping = systemClock.sleep(60_000, abort.signal);
  abort.abort();
  await sleeping;
  await systemClock.sleep(60_000, abort.signal);
});

test("a sleep longer than a timer can be is refused instead of ending at once", () => {
  assert.throws(() => systemClock.sleep(2 ** 31), /longer than a timer/);
});
