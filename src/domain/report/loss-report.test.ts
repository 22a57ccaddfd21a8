import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_HISTORY } from "../loss/loss-history.ts";
import type { LossVerdict } from "../loss/loss-verdict.ts";
import type { MachineId } from "../names.ts";
import { lossReport } from "./loss-report.ts";

const M2 = "m2" as MachineId;
const QUIET: LossVerdict = {
  mode: "normal",
  outage: null,
  hold: null,
  machines: new Map(),
  budget: { spent: [], unitsSpent: 0, unitsMax: 10 },
  wakeAtMs: null,
  history: NO_HISTORY,
};
const timeOf = (ms: number) => `t${ms}`;

test("with all machines there and well nothing is reported", () => {
  assert.equal(lossReport(QUIET, timeOf), null);
});

test("a hold while nobody is missing keeps nothing back, and is not reported", () => {
  assert.equal(lossReport({ ...QUIET, hold: { because: "elected", untilMs: 90 } }, timeOf), null);
});

test("a missing machine is told of with what it waits for, in the time of people", () => {
  const machines: LossVerdict["machines"] = new Map([
    [
      M2,
      {
        presence: "absent",
        absentSinceMs: 10,
        waits: { code: "hold", because: "elected", untilMs: 90 },
        graces: null,
        flapping: { losses: 3, untilMs: 500, cordons: true },
      },
    ],
  ]);
  const report = lossReport({ ...QUIET, machines, hold: { because: "elected", untilMs: 90 } }, timeOf);
  assert.deepEqual(report, {
    mode: "normal",
    outage: null,
    hold: { because: "elected", until: "t90" },
    machines: [
      {
        machine: M2,
        presence: "absent",
        waits: { code: "hold", until: "t90" },
        flapping: { losses: 3, until: "t500", cordons: true },
      },
    ],
    budget: null,
  });
});

test("an outage says how many are missing, of how many, and when it ends", () => {
  const outage = { sinceMs: 5, missing: [M2], of: 3, endsAt: 0 };
  const report = lossReport({ ...QUIET, mode: "partial-outage", outage }, timeOf);
  assert.deepEqual(report?.outage, { since: "t5", missing: 1, of: 3, endsAt: 0 });
});

test("what was spent of the budget is told for as long as it counts", () => {
  const budget = { spent: [{ machine: M2, atMs: 1, units: 4 }], unitsSpent: 4, unitsMax: 10 };
  assert.deepEqual(lossReport({ ...QUIET, budget }, timeOf)?.budget, { unitsSpent: 4, unitsMax: 10, machines: 1 });
});
