import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash, UnitName } from "../names.ts";
import type { PlacedUnit } from "./cluster-snapshot.ts";
import { digestOfSet } from "./digest-of-set.ts";

const placed = (unit: string, hash: string, goal: PlacedUnit["goal"] = "launched"): PlacedUnit => ({
  unit: unit as UnitName,
  hash: hash as UnitHash,
  goal,
});
const digest = (...placements: PlacedUnit[]) => digestOfSet(placements, (text) => text);

test("a set has one digest in any order, and another with any unit, hash or goal changed", () => {
  const [a, b] = [placed("a", "1"), placed("b", "2")];
  assert.equal(digest(b, a), digest(a, b));
  for (const other of [digest(a), digest(a, placed("b", "3")), digest(a, placed("b", "2", "loaded")), digest()]) {
    assert.notEqual(other, digest(a, b));
  }
});
