import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupName, MachineId, UnitName } from "../names.ts";
import { boundReport } from "./bound-report.ts";
import type { EngineReport } from "./engine-report.ts";

const EMPTY: EngineReport = { leader: "m1", releaseSeq: 1, problem: null, unplaced: [] };
const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const unplaced = (units: number, name = "u") => ({
  group: `${name}.service` as GroupName,
  units: many(units, (index) => `${name}${index}.service` as UnitName),
  kind: "waiting" as const,
  because: [],
  nearest: null,
});

test("a report of usual size is left as it is", () => {
  const report = { ...EMPTY, unplaced: [unplaced(3)], absent: [{ machine: "m2" as MachineId, since: "noon" }] };
  assert.deepEqual(boundReport(report), report);
});

test("of a list that is too long the rest is counted", () => {
  const absent = many(201, (index) => ({ machine: `m${index}` as MachineId, since: "noon" }));
  const bounded = boundReport({ ...EMPTY, absent });
  assert.equal(bounded.absent?.length, 200);
  assert.deepEqual(bounded.more, { absent: 1 });
});

test("a group of thousands of units names fifty", () => {
  assert.equal(boundReport({ ...EMPTY, unplaced: [unplaced(5_000)] }).unplaced[0]?.units.length, 50);
});

test("the worst of all lists stays below what etcd takes in one request", () => {
  const name = "n".repeat(240);
  const units = many(10, () => `${name}.service` as UnitName);
  const machine = "f".repeat(32) as MachineId;
  const since = "2026-11-21T12:00:00.000Z";
  const bounded = boundReport({
    ...EMPTY,
    unplaced: many(20_000, () => unplaced(60, name)),
    absent: many(20_000, () => ({ machine, since })),
    waits: many(20_000, () => ({ code: "hand-off", units, more: 0, from: machine, to: machine, since })),
    stuckHandOffs: many(20_000, () => ({ unit: units[0]!, machine, since })),
    deviations: many(20_000, () => ({
      unit: units[0]!,
      planned: machine,
      actual: machine,
      because: { code: "metadata", wanted: "é".repeat(10_000) },
      since,
    })),
    loss: {
      mode: "normal",
      outage: null,
      hold: null,
      machines: many(20_000, () => ({ machine, presence: "lost", waits: null, flapping: null })),
      budget: null,
    },
  });
  assert.ok(Buffer.byteLength(JSON.stringify(bounded)) < 1_536 * 1_024);
  assert.deepEqual(Object.keys(bounded.more ?? {}).length, 6);
});
