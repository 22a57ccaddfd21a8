import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLossLine } from "./loss-values.ts";

const LINES: readonly (readonly [line: string, read: object])[] = [
  ["", {}],
  ["movesWindow=30s,flapAt=5", { movesWindowMs: 30_000, flapAt: 5 }],
  [" outageAt = 40% , grace=0s,", { outageAtPercent: 40, graceMs: 0 }],
  ["flapAt=1", { problem: "flapAt: a whole number from 2 to 1000" }],
  ["outageAt=0%", { problem: "outageAt: a whole percentage from 1% to 100%" }],
  ["outageAt=101%", { problem: "outageAt: a whole percentage from 1% to 100%" }],
  ["grace", { problem: "grace: a duration such as 90s, 2m or 24h" }],
  ["grace=-1s", { problem: "grace: a duration such as 90s, 2m or 24h" }],
];

for (const [line, read] of LINES) test(`"${line}"`, () => assert.deepEqual(parseLossLine(line), read));

test("an unknown threshold is named", () => {
  const read = parseLossLine("ttl=1s");
  assert.ok("problem" in read && /ttl/.test(read.problem), JSON.stringify(read));
});
