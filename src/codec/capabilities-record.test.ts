import assert from "node:assert/strict";
import { test } from "node:test";
import { readCapabilities } from "./capabilities-record.ts";

const CASES: readonly (readonly [string, unknown, ReturnType<typeof readCapabilities>])[] = [
  ["one", ["quadlet"], ["quadlet"]],
  ["none, which is a word too", [], []],
  ["what a newer fleet adds is kept, in order", ["zfs", "quadlet", "zfs"], ["quadlet", "zfs"]],
  ["an older agent's silence", undefined, null],
  ["a text", "quadlet", null],
  ["numbers", [1], null],
  ["more than a machine can be able to", Array.from({ length: 33 }, (_, at) => `c${at}`), null],
];

for (const [sentence, value, expected] of CASES) {
  test(`capabilities in a record: ${sentence}`, () => assert.deepEqual(readCapabilities(value), expected));
}
