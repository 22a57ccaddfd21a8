import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
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
