import assert from "node:assert/strict";
import { test } from "node:test";
import { lineOrigins } from "./line-origins.ts";

const cases: readonly (readonly [says: string, older: string, newer: string, origins: readonly (number | null)[]])[] = [
  ["the same text is all old", "abc", "abc", [0, 1, 2]],
  ["of nothing everything is new", "", "ab", [null, null]],
  ["a line put in between is new, and moves those below", "abc", "abXc", [0, 1, null, 2]],
  ["a line that went moves those below up", "abc", "ac", [0, 2]],
  ["a changed line is new", "abc", "aXc", [0, null, 2]],
  ["two changes far apart leave what lies between", "abcde", "XbcdY", [null, 1, 2, 3, null]],
  ["of lines that changed places, as many as can stay in order are old", "abc", "bca", [1, 2, null]],
  ["a repeated line is matched once", "ab", "aab", [0, null, 1]],
];

for (const [says, older, newer, origins] of cases) {
  test(says, () => {
    const found = lineOrigins([...older], [...newer]);
    assert.deepEqual(found, origins);
  });
}

test("texts too long to be compared line by line keep what they begin and end with", () => {
  const lines = (word: string) => ["first", ...Array.from({ length: 2_001 }, (_, index) => `${word} ${index}`), "last"];
  const found = lineOrigins(lines("old"), lines("new"));
  assert.deepEqual([found[0], found[1], found.at(-1)], [0, null, 2_002]);
});
