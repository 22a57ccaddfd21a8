import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { Machine } from "../cluster/machine.ts";
import type { GroupName, MachineId } from "../names.ts";
import { explainSeats } from "./explain-seats.ts";
import { placeUnits } from "./place-units.ts";

const service = (options: string) => `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${options}\n`;
const SPEC = compileRepository({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
  "units/web.service": service("MachineMetadata=disk=ssd"),
  "units/db.service": service("Conflicts=web.service\nMachineMetadata=disk=ssd"),
  "units/gpu.service": service("MachineMetadata=gpu=yes"),
  "units/all.service": service("Global=true"),
}).spec!;

const machine = (name: string, disk: string, changes: Partial<Machine> = {}): Machine => ({
  id: name as MachineId,
  name,
  address: "",
  metadata: { disk },
  drain: false,
  cordon: false,
  presence: "present",
  presenceRevision: 1,
  admitted: true,
  ...changes,
});
const MACHINES = [
  machine("m1", "ssd"),
  machine("m2", "ssd"),
  machine("m3", "hdd"),
  machine("m4", "ssd", { cordon: true }),
  machine("m5", "ssd"),
];

const placed = placeUnits({ spec: SPEC, machines: MACHINES, current: new Map(), preferred: new Map(), sha256 });
const seats = explainSeats(SPEC, MACHINES, placed.placements);
const homeOf = (unit: string) => placed.placements.find((one) => one.unit === unit)!.machine as string;
const shown = (group: string) =>
  seats.othersOf(group as GroupName)?.rejected.map(({ reason, examples }) => `${reason.code} ${examples.join(" ")}`);

test("of a group that is placed, every other machine is rejected for a reason or would do as well", () => {
  const free = ["m1", "m2", "m5"].filter((name) => name !== homeOf("web.service") && name !== homeOf("db.service"));
  assert.deepEqual(seats.othersOf("web.service" as GroupName)?.fitting, { count: 1, examples: free });
  assert.deepEqual(shown("web.service"), [`conflict ${homeOf("db.service")}`, "cordoned m4", "metadata m3"]);
});

test("of a group that fits nowhere, every machine is rejected", () => {
  assert.deepEqual(seats.othersOf("gpu.service" as GroupName)?.fitting.count, 0);
  assert.equal(seats.othersOf("gpu.service" as GroupName)?.rejected[0]?.count, 5);
});

test("a global group is asked only of machines where it is not", () => {
  assert.deepEqual(shown("all.service"), ["cordoned m4"]);
});

test("one machine is asked why it does not have a group", () => {
  const reject = (name: string) => seats.rejectOn("web.service" as GroupName, name as MachineId)?.code ?? null;
  assert.deepEqual(["m3", "m4", homeOf("db.service")].map(reject), ["metadata", "cordoned", "conflict"]);
  assert.equal(reject("m9"), null);
});

test("what is no group of the commit has no answer", () => {
  assert.equal(seats.othersOf("x.service" as GroupName), null);
});
