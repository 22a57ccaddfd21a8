import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { SinceWatch } from "./since-watch.ts";

test("what stays keeps its since, what comes back begins anew, and what was said first may be kept", async () => {
  const clock = new VirtualClock();
  const watch = new SinceWatch<{ key: string; word: string }>(clock, ({ key }) => key);
  const say = (keepFirst: boolean, ...words: string[]) =>
    watch
      .current(
        words.map((word) => ({ key: word[0]!, word })),
        keepFirst ? (first) => first : undefined,
      )
      .map(({ word, since }) => [word, Date.parse(since) - start]);
  const start = clock.wallMs();
  assert.deepEqual(say(false, "a1"), [["a1", 0]]);
  await clock.advance(1_000);
  assert.deepEqual(say(false, "a2", "b1"), [
    ["a2", 0],
    ["b1", 1_000],
  ]);
  await clock.advance(1_000);
  assert.deepEqual(say(true, "b2"), [["b1", 1_000]]);
  assert.deepEqual(say(false, "a3"), [["a3", 2_000]]);
});
