import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OnDisconnect, parseOnDisconnect, stopAfterMsOf } from "./on-disconnect.ts";

describe("what becomes of a unit whose machine has lost the cluster", () => {
  const cases: readonly [what: string, text: string, option: OnDisconnect | null][] = [
    ["it runs on", "keep", "keep"],
    ["it is stopped after a time", "stop-after=20s", "stop-after=20s"],
    ["a time has one spelling", "stop-after=20000ms", "stop-after=20s"],
    ["minutes are seconds", "stop-after=1m", "stop-after=60s"],
    ["parts of a second stay", "stop-after=2500ms", "stop-after=2500ms"],
    ["the shortest", "stop-after=2s", "stop-after=2s"],
    ["shorter is refused", "stop-after=1999ms", null],
    ["a time is needed", "stop-after", null],
    ["a time with its unit", "stop-after=20", null],
    ["nothing else is known", "stop", null],
  ];
  for (const [what, text, option] of cases) test(what, () => assert.equal(parseOnDisconnect(text), option));

  test("the time is had back", () => {
    assert.equal(stopAfterMsOf("stop-after=20s"), 20_000);
    assert.equal(stopAfterMsOf("keep"), null);
  });
});
