import assert from "node:assert/strict";
import { test } from "node:test";
import { newLines } from "./new-lines.ts";

const BEFORE = "UNIT  ACTIVE\na     active\nb     active";

const CASES: readonly [sentence: string, before: string, now: string, expected: string[]][] = [
  ["at first all of them", "", "UNIT\na", ["UNIT", "a"]],
  ["none where nothing is new", BEFORE, BEFORE, []],
  ["the line that is another", BEFORE, "UNIT  ACTIVE\na     failed\nb     active", ["a     failed"]],
  ["no line that is only wider", BEFORE, "UNIT    ACTIVE\na       active\nb       active", []],
  ["what has gone, by its name", BEFORE, "UNIT  ACTIVE\na     active", ["gone: b"]],
];
for (const [sentence, before, now, expected] of CASES) {
  test(`lines that are told: ${sentence}`, () => assert.deepEqual(newLines(before, now), expected));
}
