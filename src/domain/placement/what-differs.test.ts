import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import { changedUnits } from "./what-differs.ts";

const CASES: readonly {
  readonly what: string;
  readonly before: string;
  readonly now: string;
  readonly changed: string;
}[] = [
  { what: "nothing changed", before: "a1 b2", now: "a1 b2", changed: "" },
  { what: "one moved", before: "a1 b2 c3", now: "a1 b9 c3", changed: "b" },
  { what: "one came, first, between and last", before: "b2 d4", now: "a1 b2 c3 d4 e5", changed: "a c e" },
  { what: "one went, first, between and last", before: "a1 b2 c3 d4 e5", now: "b2 d4", changed: "a c e" },
  { what: "the same in another order", before: "a1 b2 c3", now: "c3 a1 b2", changed: "" },
  {
    what: "another order, and one moved, one came and one went",
    before: "a1 b2 c3 d4",
    now: "d4 e5 b9 a1",
    changed: "b c e",
  },
  { what: "everything went", before: "a1 b2", now: "", changed: "a b" },
  { what: "everything came", before: "", now: "b2 a1", changed: "a b" },
];

for (const { what, before, now, changed } of CASES) {
  test(`units that are elsewhere than before: ${what}`, () => {
    assert.equal([...changedUnits(places(before), places(now))].sort().join(" "), changed);
  });
}

/** "a1 b2": unit a is on machine 1, unit b on 2. */
function places(text: string): ReadonlyMap<UnitName, readonly MachineId[]> {
  const words = text.split(" ").filter((word) => word !== "");
  return new Map(words.map((word) => [word[0] as UnitName, [word.slice(1) as MachineId]]));
}
