import assert from "node:assert/strict";
import { test } from "node:test";
import { machineNumber } from "../../../test/pretend-report.ts";
import type { MachineId, UnitName } from "../../domain/names.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { lossLines, partitionLines, trialLines } from "./plan-lines.ts";

const MACHINE = "0123456789abcdef0123456789abcdef" as MachineId;

test("many units that stay down for several reasons are counted, without empty brackets", () => {
  const down = Array.from({ length: 17 }, (_, index) => ({
    unit: `u${index}.service` as UnitName,
    because: { code: index === 0 ? ("data-stays" as const) : ("pinned" as const) },
  }));
  const verdict = { loss: [{ machine: MACHINE, down, moves: 2, budgets: [] }] };
  const report = { verdict } as unknown as Pick<PlanReport, "verdict">;
  assert.deepEqual(lossLines(report, new Map([[MACHINE, "m1"]])), [
    "survives the loss of any one machine: no: lose m1: 17 stay down, 2 move",
  ]);
});

test("what may not run twice is named, and what may is counted; where all may, nothing is said", () => {
  const told = (atMostOnce: readonly string[], mayRunTwice: number) =>
    partitionLines({ verdict: { partition: { atMostOnce, mayRunTwice } } } as unknown as PlanReport);
  assert.deepEqual(told(["db.service"], 2), [
    "at most once also while a machine is cut off: db.service; 2 others may run twice meanwhile",
  ]);
  assert.deepEqual(told(["db.service"], 0), [
    "at most once also while a machine is cut off: db.service; no other may run twice meanwhile",
  ]);
  assert.deepEqual(told([], 7), []);
  assert.deepEqual(partitionLines({ verdict: null }), []);
});

test("what is on trial says where, for how long and why; many are counted", () => {
  const [m1, m2] = [machineNumber(0), machineNumber(1)];
  const names = new Map([
    [m1, "m1"],
    [m2, "m2"],
  ]);
  const because = { code: "network-program", by: "ExecStart= runs nft" } as const;
  const trial = (unit: string, machine: MachineId) => ({ unit: unit as UnitName, machine, withinMs: 90_000, because });
  assert.deepEqual(trialLines({ trials: [trial("rules.service", m1), trial("rules.service", m2)] }, names), [
    "on trial: rules.service on m1, m2, undone where its machine is not reached within 90 s (touches the network: ExecStart= runs nft)",
  ]);
  const many = Array.from({ length: 9 }, (_, index) => trial(`rules${index}.service`, m1));
  assert.equal(trialLines({ trials: many }, names).at(-1), "… 3 more on trial (--json has all)");
  assert.deepEqual(trialLines({ trials: [] }, names), []);
});
