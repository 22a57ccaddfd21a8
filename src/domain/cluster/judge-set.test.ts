import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { MachineSet, PlacedUnit, SetHeader } from "./cluster-snapshot.ts";
import { digestOfSet } from "./digest-of-set.ts";
import { type AcceptedSet, judgeSet } from "./judge-set.ts";

const sha256 = (text: string) => text;
const placed = (unit: string): PlacedUnit => ({ unit: unit as UnitName, hash: "h" as UnitHash, goal: "launched" });
const both = [placed("a.service"), placed("b.service")];
const header = (placements: readonly PlacedUnit[], changes: Partial<SetHeader> = {}): SetHeader => ({
  epoch: 1,
  generation: 5,
  count: placements.length,
  digest: digestOfSet(placements, sha256),
  ...changes,
});
const set = (placements: readonly PlacedUnit[], head: SetHeader | null): MachineSet => ({
  machine: "m" as MachineId,
  header: head,
  headerModRevision: 1,
  placements,
});
const accepted: AcceptedSet = { epoch: 1, generation: 4, placements: both };

const CASES: readonly [string, MachineSet | null, AcceptedSet | null, string][] = [
  ["a complete newer set is taken", set(both, header(both)), accepted, "accept"],
  ["the first complete set is taken", set(both, header(both)), null, "accept"],
  ["an empty set is taken where its header says empty", set([], header([])), accepted, "accept"],
  ["a prefix wiped whole is no set", null, accepted, "no-header"],
  ["placements whose header is gone are no set", set(both, null), accepted, "no-header"],
  ["a lost placement is not an order to stop it", set(both.slice(0, 1), header(both)), accepted, "incomplete"],
  ["a header whose placements are all gone stops nothing", set([], header(both)), accepted, "incomplete"],
  ["another digest of as many units is not the set", set(both, header(both, { digest: "x" })), accepted, "incomplete"],
  [
    "a restored older set is not gone back to",
    set(both, header(both, { generation: 3 })),
    accepted,
    "older-generation",
  ],
  ["the same generation is nothing new", set(both, header(both, { generation: 4 })), accepted, "same"],
  ["a set of another epoch is another registry's", set(both, header(both, { epoch: 2 })), accepted, "other-epoch"],
  ["a registry of an older epoch is not believed", set(both, header(both)), { ...accepted, epoch: 2 }, "other-epoch"],
];

for (const [sentence, shown, before, expected] of CASES) {
  test(sentence, () => {
    const verdict = judgeSet(shown, 1, before, sha256);
    assert.equal(verdict.kind === "keep" ? verdict.because : verdict.kind, expected);
    if (verdict.kind === "accept") assert.deepEqual(verdict.set.placements, shown?.placements);
  });
}

test("a risen epoch starts the generations anew", () => {
  const verdict = judgeSet(set(both, header(both, { epoch: 2, generation: 1 })), 2, accepted, sha256);
  assert.deepEqual(verdict, { kind: "accept", set: { epoch: 2, generation: 1, placements: both } });
});
