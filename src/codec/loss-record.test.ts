import assert from "node:assert/strict";
import { test } from "node:test";
import type { LossMemory } from "../domain/loss/loss-memory.ts";
import type { MachineId } from "../domain/names.ts";
import { decodeLosses, encodeLosses, NO_MEMORY } from "./loss-record.ts";
import { encodeRecord } from "./record.ts";

const M1 = "1".repeat(32) as MachineId;
const MEMORY: LossMemory = {
  spent: [{ machine: M1, units: 3, agoMs: 0 }],
  flaps: [
    { machine: M1, agoMs: [90_000, 5], holds: 1, leftMs: -4 },
    { machine: M1, agoMs: [], holds: 0, leftMs: null },
  ],
};

test("what was written is what is read", () => {
  assert.deepEqual(decodeLosses(encodeLosses(MEMORY)), MEMORY);
});

const GARBAGE: readonly (readonly [says: string, text: string])[] = [
  ["no JSON", "{"],
  ["another record", encodeRecord({ term: 1 })],
  ["a newer fleet's", JSON.stringify({ ...MEMORY, v: 2 })],
  ["lists of something else", encodeRecord({ spent: [1], flaps: ["a"] })],
];
for (const [says, text] of GARBAGE) {
  test(`what nobody can read is nothing: ${says}`, () => assert.deepEqual(decodeLosses(text), NO_MEMORY));
}

test("parts that make no sense are left out, and the others hold", () => {
  const [spent, flaps] = [MEMORY.spent[0]!, MEMORY.flaps[0]!];
  const text = encodeRecord({
    spent: [{ ...spent, machine: "../m" }, { ...spent, agoMs: -1 }, { ...spent, units: 0.5 }, {}, spent],
    flaps: [
      { ...flaps, agoMs: 7 },
      { ...flaps, agoMs: ["x"] },
      { ...flaps, leftMs: "soon" },
      { ...flaps, holds: -1 },
      flaps,
    ],
  });
  assert.deepEqual(decodeLosses(text), { spent: [spent], flaps: [flaps] });
});
