import assert from "node:assert/strict";
import { test } from "node:test";
import { readReport } from "./read-report.ts";
import { encodeRecord } from "./record.ts";

const EMPTY = { leader: "m1", releaseSeq: 1, problem: null, unplaced: [] };
const wait = { code: "wave", units: ["a.service"], more: 0, for: [], since: "noon" };

test("a report reads back as it was written", () => {
  const report = { ...EMPTY, waits: [wait], absent: [{ machine: "m2", since: "noon" }] };
  assert.deepEqual(readReport(encodeRecord(report)), report);
});

test("an older engine's report has fewer fields", () => {
  assert.deepEqual(readReport(encodeRecord(EMPTY)), EMPTY);
});

test("entries nobody here can read are left out, and the rest is shown", () => {
  const report = {
    ...EMPTY,
    unplaced: [{ group: 7 }],
    waits: [wait, { ...wait, code: "moon" }, null, { ...wait, for: 3 }, { ...wait, code: "kept-out", machine: "m1" }],
    deviations: "none",
    unlisted: [{ machine: "m3" }, { machine: "m4", key: "ed25519:k", since: "noon" }],
    loss: { mode: "normal" },
  };
  assert.deepEqual(readReport(encodeRecord(report)), {
    ...EMPTY,
    waits: [wait],
    unlisted: [{ machine: "m4", key: "ed25519:k", since: "noon" }],
  });
});

test("what is no report at all is none", () => {
  assert.equal(readReport(""), null);
  assert.equal(readReport(encodeRecord({ leader: "m1" })), null);
});
