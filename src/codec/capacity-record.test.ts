import assert from "node:assert/strict";
import { test } from "node:test";
import { readCapacity } from "./capacity-record.ts";

const CASES: readonly (readonly [string, unknown, ReturnType<typeof readCapacity>])[] = [
  ["both amounts", { cpuMilli: 4000, memoryBytes: 1024 }, { cpuMilli: 4000, memoryBytes: 1024 }],
  ["what a newer fleet adds is let be", { cpuMilli: 1, memoryBytes: 2, disk: 3 }, { cpuMilli: 1, memoryBytes: 2 }],
  ["an older agent's silence", undefined, null],
  ["half of it", { cpuMilli: 4000 }, null],
  ["less than nothing", { cpuMilli: -1, memoryBytes: 1024 }, null],
  ["a part of a byte", { cpuMilli: 1, memoryBytes: 0.5 }, null],
  ["more than a number holds exactly", { cpuMilli: 1, memoryBytes: 2 ** 60 }, null],
  ["a text", { cpuMilli: "4000", memoryBytes: "1" }, null],
  ["null", null, null],
];

for (const [sentence, value, expected] of CASES) {
  test(sentence, () => assert.deepEqual(readCapacity(value), expected));
}
