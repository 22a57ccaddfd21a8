import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import type { UnitHash, UnitName } from "../names.ts";
import { undone, undoOf } from "./undo.ts";

/** `web:2` is web with its second text. */
const set = (words: string): readonly PlacedUnit[] =>
  words
    .split(" ")
    .map((word) => ({ unit: word.split(":")[0] as UnitName, hash: word as UnitHash, goal: "launched" as const }));
const said = (placements: readonly PlacedUnit[]) => placements.map(({ hash }) => hash).join(" ");
const before = set("old:1 same:1 web:1 wifi:1");
const offered = set("new:1 same:1 web:2 wifi:2");

test("what was changed is undone, what was not is left", () => {
  const undo = undoOf(before, offered, () => true);
  assert.deepEqual(
    undo.map(({ unit }) => unit),
    ["new", "old", "web", "wifi"],
  );
  assert.equal(said(undone(offered, undo)), said(before));
});

test("what runs elsewhere by now is not put back, what nobody else runs is", () => {
  const gone = undone(
    set("same:1 wifi:2"),
    undoOf(before, set("same:1 wifi:2"), ({ unit }) => unit === "old"),
  );
  assert.equal(said(gone), "old:1 same:1 wifi:1");
});
