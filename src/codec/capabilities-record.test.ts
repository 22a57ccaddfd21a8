import assert from "node:assert/strict";
import { test } from "node:test";
import { readCapabilities, readMeans } from "./capabilities-record.ts";

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

test("of what a machine says of itself, what makes sense", () => {
  const capacity = { cpuMilli: 1, memoryBytes: 2 };
  assert.deepEqual(readMeans(capacity, ["quadlet"]), { capacity, capabilities: ["quadlet"] });
  assert.deepEqual(readMeans("much", undefined), {});
});
