import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../domain/names.ts";
import { type JournalAsk, LINES_MAX } from "../domain/reach/judge-ask.ts";
import { decodeJournalAsk, encodeJournalAsk } from "./journal-ask.ts";

const ask: JournalAsk = {
  ...{ clusterId: "c1", from: "a".repeat(32) as MachineId, to: "b".repeat(32) as MachineId, unit: "web@1.service" },
  ...{ lines: 10, follow: true, json: false, atMs: 1_000, id: "f".repeat(32) },
};

test("an ask comes back as it was", () => {
  assert.deepEqual(decodeJournalAsk(encodeJournalAsk(ask)), ask);
});

const WRONG: readonly [string, object][] = [
  ["no machine's id", { from: "nas" }],
  ["a unit that is an option", { unit: "--vacuum-size=1" }],
  ["a pattern of units", { unit: "*" }],
  ["more lines than there may be", { lines: LINES_MAX + 1 }],
  ["half a line", { lines: 1.5 }],
  ["no id", { id: "" }],
  ["another thing to do", { do: "exec" }],
  ["more than an ask has", { clusterId: "c".repeat(3_000) }],
];
for (const [says, others] of WRONG) {
  test(`not an ask: ${says}`, () => {
    const text = JSON.stringify({ v: 1, do: "journal", ...ask, ...others });
    assert.equal(decodeJournalAsk(text), null);
  });
}
test("not an ask: what is no JSON, or of a newer fleet", () => {
  assert.equal(decodeJournalAsk("{"), null);
  assert.equal(decodeJournalAsk(JSON.stringify({ v: 2, do: "journal", ...ask })), null);
});
