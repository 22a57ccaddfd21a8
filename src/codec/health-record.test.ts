import assert from "node:assert/strict";
import { test } from "node:test";
import { readServiceHealth } from "./health-record.ts";

test("what an agent tells of a service's checks is read as it was written", () => {
  for (const state of ["passing", "failing", "unknown"]) {
    assert.deepEqual(readServiceHealth({ state, detail: "x" }), { state, detail: "x" });
  }
});

test("what is damaged is nothing, and a state of a newer agent is none that passes", () => {
  for (const value of [undefined, null, "passing", [], {}, { state: "passing" }, { state: 1, detail: "" }]) {
    assert.equal(readServiceHealth(value), null);
  }
  assert.deepEqual(readServiceHealth({ state: "toString", detail: "" }), { state: "unknown", detail: "" });
});
