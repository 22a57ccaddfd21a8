import assert from "node:assert/strict";
import { test } from "node:test";
import { foreignNames } from "./foreign-names.ts";

const CASES: readonly [string, unknown, readonly string[]][] = [
  ["an older agent's record has none", undefined, []],
  ["what is no list is none", { "a.service": true }, []],
  ["texts, each once, sorted", ["b.service", 3, "a.service", null, "b.service"], ["a.service", "b.service"]],
];

for (const [sentence, value, expected] of CASES) {
  test(`foreign units of a member record: ${sentence}`, () => assert.deepEqual(foreignNames(value), expected));
}

test("foreign units of a member record: no more than may be", () => {
  assert.equal(foreignNames(Array.from({ length: 5_000 }, (_, at) => `u${at}.service`)).length, 2_000);
});
