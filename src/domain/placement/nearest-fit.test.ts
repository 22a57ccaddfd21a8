import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import type { Selector } from "../cluster/selector.ts";
import { placeGroups } from "./place-groups.ts";

const role = (value: string): Selector => ({ kind: "metadata", key: "role", values: [value] });
const zone = (value: string): Selector => ({ kind: "metadata", key: "zone", values: [value] });

const cpu = (cores: number) => ({ cpuMilli: cores * 1_000, memoryBytes: 0 });

const CASES: readonly {
  readonly says: string;
  readonly units: readonly (Partial<UnitSketch> & { readonly name: string })[];
  readonly machines: readonly (Partial<Machine> & { readonly name: string })[];
  /** `a` where it is not said. */
  readonly of?: string;
  /** Of that unit: the machine and the codes of what is in the way there. */
  readonly nearest: readonly [string, readonly string[]] | null;
}[] = [
  {
    says: "one label short is nearer than two",
    units: [{ name: "a", machineMetadata: [role("db"), zone("b")] }],
    machines: [{ name: "m0" }, { name: "m1", metadata: { zone: "b" } }],
    nearest: ["m1", ["metadata"]],
  },
  {
    says: "everything in the way is said, not the first of it",
    units: [{ name: "a", machineMetadata: [role("db"), zone("b")] }],
    machines: [{ name: "m0", admitted: false }],
    nearest: ["m0", ["not-admitted", "metadata", "metadata"]],
  },
  {
    says: "a label is a smaller change than letting a machine in",
    units: [{ name: "a", machineMetadata: [role("db")] }],
    machines: [{ name: "m0", admitted: false, metadata: { role: "db" } }, { name: "m1" }],
    nearest: ["m1", ["metadata"]],
  },
  {
    says: "a conflict names the two that cannot share the machine",
    units: [
      { name: "a", conflicts: ["b"], machineId: "m0" },
      { name: "b", global: true },
    ],
    machines: [{ name: "m0" }],
    nearest: ["m0", ["conflict"]],
  },
  {
    says: "a pin to a machine nobody knows is what is in the way",
    units: [{ name: "a", machineId: "nas" }],
    machines: [{ name: "m0" }],
    nearest: ["m0", ["other-machine"]],
  },
  {
    says: "of machines without room the one that lacks least",
    units: [
      { name: "a", requests: cpu(4) },
      { name: "b", global: true, requests: cpu(3) },
    ],
    machines: [
      { name: "m0", capacity: cpu(4) },
      { name: "m1", capacity: cpu(6) },
    ],
    nearest: ["m1", ["no-room"]],
  },
  {
    says: "room on a machine that is large enough is a smaller change than a larger machine",
    units: [
      { name: "a", requests: cpu(4) },
      { name: "b", global: true, requests: cpu(3) },
    ],
    machines: [
      { name: "m0", capacity: cpu(3.9) },
      { name: "m1", capacity: cpu(4) },
    ],
    nearest: ["m1", ["no-room"]],
  },
  {
    says: "a key to be spread by is a label, and a smaller change than another machine",
    of: "web@2.service",
    units: ["web@1.service", "web@2.service"].map((name) => ({ name, spread: { key: "zone", hard: true } })),
    machines: [{ name: "m0", metadata: { zone: "a" } }, { name: "m1" }],
    nearest: ["m1", ["spread"]],
  },
  {
    says: "what only waits for its machine needs no change",
    units: [{ name: "a", machineId: "m0" }],
    machines: [{ name: "m0", presence: "absent" }],
    nearest: null,
  },
];

for (const { says, of = "a", units, machines, nearest } of CASES) {
  test(says, () => {
    const spec = specOf(units.map(sketch));
    const { unplaced } = placeGroups({
      spec,
      machines: machines.map(machineOf),
      current: new Map(),
      preferred: new Map(),
    });
    const found = unplaced.find((group) => group.units.some((unit) => unit === of))!.nearest;
    assert.deepEqual(
      found === null ? null : [found.machine, found.obstacles.map((obstacle) => obstacle.code)],
      nearest,
    );
  });
}

function sketch(unit: Partial<UnitSketch> & { readonly name: string }, index: number): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { group: index, global: false, goal: "launched", ...constraints, move: "auto", text: "", ...unit };
}

function machineOf(machine: Partial<Machine> & { readonly name: string }, index: number): Machine {
  const facts = { address: "", metadata: {}, drain: false, cordon: false, presenceRevision: 1 };
  return { id: machineId(index), ...facts, presence: "present", admitted: true, ...machine };
}
