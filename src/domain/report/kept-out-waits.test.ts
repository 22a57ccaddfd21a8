import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import type { RejectReason } from "../placement/placement.ts";
import { keptOutWaits } from "./kept-out-waits.ts";

const minds = (unit: UnitName, other: string): RejectReason => ({ code: "conflict", unit, with: other as UnitName });

test("one entry a machine, with the reason of the first and at most ten names", () => {
  const names = Array.from({ length: 12 }, (_, index) => `w@${index + 10}.service` as UnitName);
  const waits = keptOutWaits([
    { unit: "a.service" as UnitName, machine: "m2" as MachineId, because: minds("a.service" as UnitName, "b.service") },
    ...names.map((unit) => ({ unit, machine: "m1" as MachineId, because: minds(unit, "c.service") })),
  ]);
  assert.deepEqual(
    waits.map(({ units, more }) => [units[0], units.length, more]),
    [
      ["w@10.service", 10, 2],
      ["a.service", 1, 0],
    ],
  );
  assert.deepEqual(waits[0], {
    ...{ code: "kept-out", units: names.slice(0, 10), more: 2, machine: "m1" },
    because: minds(names[0]!, "c.service"),
  });
  assert.deepEqual(keptOutWaits([]), []);
});
