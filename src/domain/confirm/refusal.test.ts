import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { ChangeRisk } from "./change-risk.ts";
import { isStillRefused, placementsUnder, refuseChange, refusedUnits } from "./refusal.ts";

/** `web:2` is web with its second text. */
const set = (words: string): readonly PlacedUnit[] =>
  words
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => ({ unit: word.split(":")[0] as UnitName, hash: word as UnitHash, goal: "launched" as const }));
const said = (placements: readonly PlacedUnit[]) => placements.map(({ hash }) => hash).join(" ");
const risk = (risky: string, changed: string): ChangeRisk => ({
  units: risky.split(" ").map((unit) => ({ unit: unit as UnitName, because: { code: "asked-for" } })),
  withinMs: 90_000,
  changed: changed.split(" ") as UnitName[],
});
const WHEN = { since: "2026-11-21T10:00:00.000Z", renew: [] };

/** wifi was risky, web came along, new came, old went. */
const before = set("old:1 same:1 web:1 wifi:1");
const offered = set("new:1 same:1 web:2 wifi:2");
const refusal = { ...WHEN, ...refuseChange(before, offered, risk("wifi", "new old web wifi"), null) };

const CASES: readonly (readonly [string, string, boolean, string])[] = [
  ["the very set", "new:1 same:1 web:2 wifi:2", true, "old:1 same:1 web:1 wifi:1"],
  ["another unit changes", "new:1 same:2 web:2 wifi:2", true, "old:1 same:2 web:1 wifi:1"],
  ["another unit comes", "more:1 new:1 same:1 web:2 wifi:2", true, "more:1 old:1 same:1 web:1 wifi:1"],
  ["what came along is offered otherwise", "new:1 same:1 web:3 wifi:2", true, "old:1 same:1 web:3 wifi:1"],
  ["the risky one is offered otherwise", "new:1 same:1 web:2 wifi:3", false, ""],
  ["the risky one is as before", "old:1 same:1 web:1 wifi:1", false, ""],
  ["the risky one goes", "new:1 same:1 web:2", false, ""],
];
for (const [because, words, still, runs] of CASES) {
  test(`${because}: ${still ? "still refused" : "taken anew"}`, () => {
    assert.equal(isStillRefused(refusal, set(words)), still);
    if (still) assert.equal(said(placementsUnder(set(words), refusal)), runs);
  });
}

test("what is refused is said of units that come, change and go, and of no other", () => {
  const names = (words: string) => refusedUnits(set(words), refusal).map(({ unit }) => unit);
  assert.deepEqual(names("new:1 same:1 web:2 wifi:2"), ["new", "old", "web", "wifi"]);
  assert.deepEqual(names("new:1 same:2 web:3 wifi:2"), ["new", "old", "wifi"]);
  assert.deepEqual(refusedUnits(offered, null), []);
});

test("a second change that is refused beside a first leaves the first refused, with what ran before both", () => {
  const runs = placementsUnder(offered, refusal);
  const next = set("new:1 same:1 vpn:2 web:3 wifi:2");
  const both = {
    ...WHEN,
    ...refuseChange(runs, placementsUnder(next, refusal), risk("vpn", "vpn web"), refusal),
  };
  assert.equal(said(placementsUnder(next, both)), said(before));
  assert.equal(isStillRefused(both, set("new:1 same:1 vpn:2 web:3 wifi:3")), false);
});
