import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "./virtual-clock.ts";

test("timers fire in order of their due time, and those of one instant in the order they were set", async () => {
  const clock = new VirtualClock();
  const fired: string[] = [];
  for (const [name, ms] of [
    ["c", 30],
    ["a", 10],
    ["b1", 20],
    ["b2", 20],
  ] as const) {
    void clock.sleep(ms).then(() => fired.push(`${name}@${clock.monotonicMs()}`));
  }
  await clock.advance(25);
  assert.deepEqual(fired, ["a@10", "b1@20", "b2@20"]);
  assert.equal(clock.monotonicMs(), 25);
  await clock.advance(5);
  assert.deepEqual(fired.at(-1), "c@30");
});

test("a long promise chain behind a timer settles before the next timer fires", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  void clock.sleep(1).then(async () => {
    for (let step = 0; step < 500; step++) await Promise.resolve();
    seen.push("chain");
  });
  void clock.sleep(2).then(() => seen.push("next"));
  await clock.advance(2);
  assert.deepEqual(seen, ["chain", "next"]);
});

test("a loop that sleeps inside a chain keeps its beat", async () => {
  const clock = new VirtualClock();
  let beats = 0;
  void (async () => {
    for (;;) {
      await clock.sleep(100);
      beats++;
    }
  })();
  await clock.advance(1_000);
  assert.equal(beats, 10);
});

test("runUntil stops at the moment the condition holds, or at the limit", async () => {
  const clock = new VirtualClock();
  let done = false;
  void clock.sleep(70).then(() => {
    done = true;
  });
  assert.equal(await clock.runUntil(() => done, 50), false);
  assert.equal(clock.monotonicMs(), 50);
  assert.equal(await clock.runUntil(() => done, 500), true);
  assert.equal(clock.monotonicMs(), 70);
});

test("an aborted sleep ends at once, and its timer does not hold time up", async () => {
  const clock = new VirtualClock();
  const abort = new AbortController();
  let ended = -1;
  void clock.sleep(1_000, abort.signal).then(() => {
    ended = clock.monotonicMs();
  });
  await clock.advance(10);
  abort.abort();
  await clock.advance(0);
  assert.equal(ended, 10);
  await clock.sleep(5, abort.signal);
  assert.equal(clock.monotonicMs(), 10);
});

test("a fast clock measures more than passes, and wakes earlier in true time", async () => {
  const clock = new VirtualClock();
  const fast = clock.clockFor({ driftPpm: 100_000, offsetMs: 5_000 });
  let wokeAt = -1;
  void fast.sleep(1_100).then(() => {
    wokeAt = clock.monotonicMs();
  });
  await clock.advance(2_000);
  assert.equal(wokeAt, 1_000);
  assert.ok(Math.abs(fast.monotonicMs() - 2_200) < 0.001);
  assert.equal(fast.wallMs() - clock.wallMs(), 5_200);
});

test("a paused client's timers wait for its resumption; others go on", async () => {
  const clock = new VirtualClock();
  const stalled = clock.clockFor();
  const fired: string[] = [];
  void stalled.sleep(10).then(() => fired.push(`stalled@${stalled.monotonicMs()}`));
  void clock.sleep(20).then(() => fired.push("other@20"));
  stalled.pause();
  await clock.advance(100);
  assert.deepEqual(fired, ["other@20"]);
  stalled.resume();
  await clock.advance(0);
  assert.deepEqual(fired, ["other@20", "stalled@100"]);
});

test("a loop that sleeps no time is found out instead of hanging", async () => {
  const clock = new VirtualClock();
  void (async () => {
    for (;;) await clock.sleep(0);
  })();
  await assert.rejects(clock.advance(1), /time stands still/);
});
