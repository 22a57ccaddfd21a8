import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import { machinesOfUnits, placedNow } from "./placed-now.ts";

const rest = { hash: "h" as UnitHash, goal: "launched" as const };
const set = (machine: string, ...units: string[]) => ({
  machine: machine as MachineId,
  header: null,
  headerModRevision: 1,
  placements: units.map((unit) => ({ unit: unit as UnitName, ...rest })),
});

test("an assigned unit is where it is assigned, whatever sets still hold it; others are where sets hold them", () => {
  const snapshot: ClusterSnapshot = {
    ...emptySnapshot,
    assignments: [{ unit: "b" as UnitName, machine: "m2" as MachineId, ...rest, reason: "", modRevision: 1 }],
    sets: [set("m2", "g"), set("m1", "b", "g")],
  };
  assert.deepEqual(Object.fromEntries(machinesOfUnits(placedNow(snapshot))), { b: ["m2"], g: ["m1", "m2"] });
});

test("of a wiped set what its machine tells counts, but for units that are assigned elsewhere; of a whole one it does not", () => {
  const identity = { id: "c", name: "c", source: "", branch: "main", manifest: "fleet.yaml", epoch: 2 };
  const told = (epoch: number) => ({
    ...set("m1", "b", "g", "h"),
    ...{ identity, release: { seq: 1 } as Release, epoch, generation: 1 },
  });
  const wiped: ClusterSnapshot = {
    ...{ ...emptySnapshot, identity, kept: [told(2)] },
    assignments: [{ unit: "b" as UnitName, machine: "m2" as MachineId, ...rest, reason: "", modRevision: 1 }],
  };
  const places = (snapshot: ClusterSnapshot) => Object.fromEntries(machinesOfUnits(placedNow(snapshot)));
  assert.deepEqual(places(wiped), { b: ["m2"], g: ["m1"], h: ["m1"] });
  assert.deepEqual(places({ ...wiped, sets: [set("m1", "g")] }), { b: ["m2"], g: ["m1"], h: ["m1"] });
  const header = { epoch: 2, generation: 2, count: 1, digest: "" };
  assert.deepEqual(places({ ...wiped, sets: [{ ...set("m1", "g"), header }] }), { b: ["m2"], g: ["m1"] });
  assert.deepEqual(places({ ...wiped, kept: [told(1)] }), { b: ["m2"] }, "what it took in an earlier epoch is adopted");
});
