import assert from "node:assert/strict";
import { test } from "node:test";
import { spliced, spliceOf } from "./splice.ts";

const cases: readonly [string, string, string, string][] = [
  ["a change in the middle", "one two three", "one 2 three", "2"],
  ["an insertion", "one three", "one two three", "wo t"],
  ["a removal", "one two three", "one three", ""],
  ["nothing in common", "abc", "xyz", "xyz"],
  ["the same", "abc", "abc", ""],
  ["from nothing", "", "abc", "abc"],
  ["to nothing", "abc", "", ""],
  ["a repetition that could overlap itself", "aaa", "aaaaa", "aa"],
];

for (const [what, base, next, sent] of cases) {
  test(`${what}: only the difference is sent, and gives the same again`, () => {
    const splice = spliceOf(Buffer.from(base), Buffer.from(next));
    assert.equal(Buffer.from(splice.content).toString(), sent);
    assert.equal(spliced(Buffer.from(base), splice, next.length)?.toString(), next);
  });
}

test("a splice that its base cannot bear is none", () => {
  const base = Buffer.from("abc");
  assert.equal(spliced(base, { offset: 2, content: Buffer.from("x") }, 9), null);
  assert.equal(spliced(base, { offset: 4, content: Buffer.alloc(0) }, 4), null);
  assert.equal(spliced(base, { offset: 0, content: Buffer.from("xyz") }, 2), null);
});
