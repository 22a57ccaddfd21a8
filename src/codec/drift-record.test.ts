import assert from "node:assert/strict";
import { test } from "node:test";
import { readUnitDrift } from "./drift-record.ts";

const drift = {
  seen: [{ kind: "edited", path: "/x" }, { kind: "stopped" }],
  since: "then",
  corrected: 2,
  outcome: "given-up",
};

test("what an agent tells of drift is read as it was written", () => {
  assert.deepEqual(readUnitDrift(JSON.parse(JSON.stringify(drift))), drift);
});

test("what is damaged, or of a newer fleet, costs itself and not the status", () => {
  for (const value of [undefined, null, "drift", [], {}, { ...drift, seen: 1 }, { ...drift, outcome: "toString" }]) {
    assert.equal(readUnitDrift(value), null);
  }
  const seen = [{ kind: "newer" }, { kind: "edited", path: 7 }, { path: "/y" }, { kind: "stopped" }];
  assert.deepEqual(readUnitDrift({ ...drift, seen })?.seen, [{ kind: "stopped" }]);
  assert.equal(
    readUnitDrift({ ...drift, seen: Array.from({ length: 1000 }, () => ({ kind: "stopped" })) })?.seen.length,
    20,
  );
});
