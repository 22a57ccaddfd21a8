import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { deviationsOf } from "./deviations-of.ts";

const WEB = "web.service" as UnitName;
const A = "a" as MachineId;
const B = "b" as MachineId;
const SPEC = compileRepository({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
  "units/web.service": "[Service]\nExecStart=/bin/true\n",
  "units/all.service": "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\n",
}).spec!;

const machine = (id: MachineId, changes: Partial<Machine> = {}): Machine => ({
  id,
  name: id,
  address: "",
  metadata: {},
  drain: false,
  cordon: false,
  presence: "present",
  presenceRevision: 1,
  admitted: true,
  ...changes,
});

const CASES: readonly [sentence: string, machines: readonly Machine[], planned: MachineId, because: string | null][] = [
  ["a unit where it was planned", [machine(A), machine(B)], A, null],
  ["one whose planned machine is lost", [machine(A), machine(B, { presence: "lost" })], B, "lost"],
  ["one whose planned machine is drained", [machine(A), machine(B, { drain: true })], B, "drained"],
  ["one whose planned machine is back: nothing moves by itself", [machine(A), machine(B)], B, "stays"],
  ["one whose planned machine is no member any more", [machine(A)], B, "no-member"],
];

for (const [sentence, machines, planned, because] of CASES) {
  test(`deviation: ${sentence}`, () => {
    const current = new Map([[WEB, [A]]]);
    const { placements } = placeUnits({ spec: SPEC, machines, current, preferred: new Map(), sha256 });
    const all = "all.service" as UnitName;
    const deviations = deviationsOf(
      SPEC,
      machines,
      placements,
      new Map([
        [WEB, planned],
        [all, planned],
      ]),
    );
    const expected = because === null ? [] : [{ unit: WEB, planned, actual: A, because: { code: because } }];
    assert.deepEqual(deviations, expected);
  });
}
