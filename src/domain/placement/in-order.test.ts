import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder } from "./in-order.ts";

const letters = new Map([..."abcdefg"].map((name) => [name, { name }]));
const listOf = (names: string) => [...names].map((name) => letters.get(name)!);

/** Both of the very same values, so that those of the known list are met again. */
const CASES: readonly (readonly [known: string, list: string, sorted: string])[] = [
  ["", "abc", "abc"],
  ["", "cab", "abc"],
  ["abc", "abc", "abc"],
  ["bdf", "abcdefg", "abcdefg"],
  ["abcdefg", "bdf", "bdf"],
  ["abcdefg", "ag", "ag"],
  ["abcdefg", "acb", "abc"],
  ["abcd", "abdc", "abcd"],
  ["bcd", "bcda", "abcd"],
  ["abc", "cabc", "abcc"],
];

for (const [known, list, sorted] of CASES) {
  test(`${list}, after ${known === "" ? "nothing" : known}, is ${sorted} in order`, () => {
    assert.deepEqual(inOrder(listOf(list), listOf(known)), listOf(sorted));
  });
}

test("a list that is in order is itself", () => {
  const list = listOf("abd");
  assert.equal(inOrder(list, listOf("abcd")), list);
});
