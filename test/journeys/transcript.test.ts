import assert from "node:assert/strict";
import { test } from "node:test";
import { firstMissing, parseTranscript } from "./transcript.ts";

test("commands come from console blocks only, each with the lines below it and the patience of its block", () => {
  const page =
    "$ not a block\n```sh\n$ other\n```\n```console\n$ one\na\n\nb …\n$ two\n```\ntext\n```console until 5s\n$ three\nc\n```\n";
  assert.deepEqual(parseTranscript(page), [
    { command: "one", expected: ["a", "b …"], untilMs: 0, line: 6 },
    { command: "two", expected: [], untilMs: 0, line: 10 },
    { command: "three", expected: ["c"], untilMs: 5000, line: 14 },
  ]);
});

const CASES: readonly [string, readonly string[], string, string | null][] = [
  ["lines between are allowed", ["a", "c"], "a\nb\nc\n", null],
  ["order counts", ["c", "a"], "a\nb\nc\n", "a"],
  ["one line is found once", ["a", "a"], "a\n", "a"],
  ["a whole line is meant, not a part of it", ["active"], "inactive\n", "active"],
  ["the dots stand for anything", ["x  … (b)"], "x 1 2 (b)", null],
  ["what looks like a pattern is a text", ["a.c"], "abc", "a.c"],
  ["blanks are any blanks, at the start too", ["next: a b"], "   next:  a    b", null],
];
for (const [sentence, expected, output, missing] of CASES) {
  test(sentence, () => assert.equal(firstMissing(expected, output), missing));
}
