import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { Placement, PlacementReason } from "../placement/placement.ts";
import { closedMachines } from "./closed-machines.ts";

function machine(name: string, said: Partial<Machine> = {}): Machine {
  const there = { address: "", metadata: {}, presence: "present", presenceRevision: 1 } as const;
  return { id: name as MachineId, name, ...there, drain: false, cordon: false, admitted: true, ...said };
}

function placed(unit: string, on: string, reason: PlacementReason): Placement {
  return { unit: unit as UnitName, machine: on as MachineId, hash: "h" as UnitHash, goal: "launched", reason };
}

const DATA = { code: "data-stays", because: "StateDirectory=db" } as const;

test("of open machines nothing is said", () => {
  assert.deepEqual(closedMachines([machine("m1")], [placed("a", "m1", { code: "stayed" })]), []);
});

test("of a drained one what stays there, and why", () => {
  const placements = [
    placed("a", "m2", { code: "moved", from: "m1" as MachineId, because: { code: "drained" } }),
    placed("db", "m1", DATA),
    placed("g", "m1", { code: "global" }),
    placed("h", "m1", { code: "global" }),
  ];
  const stays = [
    { because: DATA, units: ["db"], more: 0 },
    { because: { code: "global" }, units: ["g", "h"], more: 0 },
  ];
  assert.deepEqual(closedMachines([machine("m1", { drain: true }), machine("m2")], placements), [
    { machine: "m1", because: "drained", stays },
  ]);
});

test("one the commit does not list is not that because it is drained or cordoned as well", () => {
  const machines = [machine("m1", { admitted: false, drain: true }), machine("m2", { cordon: true })];
  assert.deepEqual(closedMachines(machines, []), [
    { machine: "m1", because: "not-admitted", stays: [] },
    { machine: "m2", because: "cordoned", stays: [] },
  ]);
});

test("of many a screenful is named", () => {
  const many = Array.from({ length: 25 }, (_, index) => placed(`u${index}`, "m1", DATA));
  const [closed] = closedMachines([machine("m1", { drain: true })], many);
  assert.deepEqual([closed?.stays[0]?.units.length, closed?.stays[0]?.more], [20, 5]);
});
