import assert from "node:assert/strict";
import { test } from "node:test";
import { pretendChange, pretendReport } from "../../test/pretend-report.ts";
import { changeLines, changesDifference } from "./change-lines.ts";

test("a change is a line with its machine by name, what it does and which version", () => {
  const { plan } = pretendReport([pretendChange("web.service"), pretendChange("db.service", { on: 1 })], ["m1"]);
  assert.deepEqual(changeLines(plan), ["add db.service on aaaaaaaa: start (h)", "add web.service on m1: start (h)"]);
});

const CASES: readonly [string, readonly string[], readonly string[], string][] = [
  ["what was reviewed and goes, then what nobody reviewed", ["a", "b"], ["b", "c"], "- a\n+ c"],
  [
    "order is no difference",
    ["a", "b"],
    ["b", "a"],
    "the same changes, to other units or another placement of the rest",
  ],
  ["nothing reviewed", [], ["a"], "+ a"],
];
for (const [says, reviewed, now, expected] of CASES) {
  test(says, () => assert.equal(changesDifference(reviewed, now), expected));
}

test("further ones are counted", () => {
  const many = Array.from({ length: 100 }, (_, index) => `u${index}`);
  const lines = changesDifference([], many).split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [41, "and 60 more"]);
});
