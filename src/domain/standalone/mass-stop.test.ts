import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import { allowsMassStop, massStop } from "./mass-stop.ts";

const set = (names: string, goal: UnitGoal = "launched") =>
  [...names].map((name) => ({ unit: `${name}.service` as UnitName, goal }));

const CASES: readonly [says: string, before: string, after: string, stops: string | null][] = [
  ["a set that only grows stops nothing", "abc", "abcd", null],
  ["two of four are a change, and no mass", "abcd", "ab", null],
  ["three of twelve are a quarter, and no more", "abcdefghijkl", "abcdefghi", null],
  ["three of eleven are more than a quarter", "abcdefghijk", "abcdefgh", "ijk"],
  ["three of four are most of it", "abcd", "a", "bcd"],
  ["everything is a mass, also where it is one unit", "a", "", "a"],
  ["one that another takes the place of is a change", "a", "b", null],
  ["a machine that runs nothing stops nothing", "", "", null],
];

for (const [says, before, after, stops] of CASES) {
  test(says, () => {
    const found = massStop(set(before), set(after));
    assert.equal(found === null ? null : found.stops.map((unit) => unit[0]).join(""), stops);
    if (found !== null) assert.equal(found.of, before.length);
  });
}

test("a unit that is only loaded afterwards is stopped, and one that was only loaded is not", () => {
  assert.deepEqual(massStop(set("abc"), set("abc", "loaded"))?.stops.length, 3);
  assert.equal(massStop(set("abc", "loaded"), []), null);
});

const MESSAGES: readonly [says: string, message: string, allows: boolean][] = [
  ["the last paragraph's trailer counts", "Close a site\n\nIt moves.\n\nFleet-Allow-Stops: yes\n", true],
  ["among other trailers, too, in whatever case", "Close\n\nfleet-allow-stops: YES\nSigned-off-by: a\n", true],
  ["a subject that looks like one does not", "Fleet-Allow-Stops: yes", false],
  ["nor does a text that only speaks of it", "Close\n\nFleet-Allow-Stops: yes\n\nSee above.\n", false],
  ["nor any other word than yes", "Close\n\nFleet-Allow-Stops: no\n", false],
];

for (const [says, message, allows] of MESSAGES) {
  test(says, () => assert.equal(allowsMassStop(message), allows));
}
