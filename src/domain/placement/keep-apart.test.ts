import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import type { UnitName } from "../names.ts";
import { placeGroups } from "./place-groups.ts";

const cpu = (cpuMilli: number) => ({ requests: { cpuMilli, memoryBytes: 0 } });
const has = (cpuMilli: number) => ({ capacity: { cpuMilli, memoryBytes: 100 } });
const zone = (name: string) => ({ metadata: { zone: name } });
const wish = { spread: { key: "zone", hard: false } } as const;
const rule = { spread: { key: "zone", hard: true } } as const;

const CASES: readonly {
  readonly says: string;
  readonly units: readonly (Partial<UnitSketch> & { readonly name: string })[];
  /** m0, m1, … in this order. */
  readonly machines: readonly Partial<Machine>[];
  readonly now?: Readonly<Record<string, string>>;
  readonly placed: readonly string[];
  /** unit, kind, and count×code of each reason. */
  readonly unplaced?: readonly string[];
}[] = [
  {
    says: "a newcomer goes where there is room for what it asks, however loaded that machine is",
    units: [{ name: "a" }, { name: "b", ...cpu(2) }, { name: "c" }],
    machines: [has(2), has(1)],
    now: { a: "m0", c: "m0" },
    placed: ["a@m0", "b@m0", "c@m0"],
  },
  {
    says: "a machine on which more was promised than there is keeps what runs there and takes nobody who asks for more",
    units: [{ name: "a", ...cpu(2) }, { name: "b", ...cpu(2) }, { name: "c", ...cpu(1) }, { name: "d" }],
    machines: [has(3)],
    now: { a: "m0", b: "m0" },
    placed: ["a@m0", "b@m0", "d@m0"],
    unplaced: ["c unplaceable 1×no-room"],
  },
  {
    says: "a machine that is too small for it is nothing to wait for, also while it is away",
    units: [{ name: "a", ...cpu(9) }],
    machines: [{ ...has(8), presence: "absent" }, has(4)],
    placed: [],
    unplaced: ["a unplaceable 2×no-room"],
  },
  {
    says: "what is replaced makes room for what replaces it",
    units: [
      { name: "a", replaces: ["b"], machineId: "m0", ...cpu(2) },
      { name: "b", ...cpu(1) },
    ],
    machines: [has(2), has(1)],
    now: { b: "m0" },
    placed: ["a@m0", "b@m1"],
  },
  {
    says: "replicas that wish to be apart go to the zone with the fewest of them before the machine with the least load",
    units: [
      { name: "a" },
      { name: "w@1.service", ...wish },
      { name: "w@2.service", ...wish },
      { name: "w@3.service", ...wish },
    ],
    machines: [zone("x"), zone("x"), zone("y")],
    now: { a: "m2", "w@1.service": "m0" },
    placed: ["a@m2", "w@1.service@m0", "w@2.service@m2", "w@3.service@m1"],
  },
  {
    says: "a wish moves nothing that runs",
    units: [
      { name: "w@1.service", ...wish },
      { name: "w@2.service", ...wish },
    ],
    machines: [zone("x"), zone("y")],
    now: { "w@1.service": "m0", "w@2.service": "m0" },
    placed: ["w@1.service@m0", "w@2.service@m0"],
  },
  {
    says: "a rule does: the second of one zone leaves, and the third has nowhere to go",
    units: [
      { name: "w@1.service", ...rule },
      { name: "w@2.service", ...rule },
      { name: "w@3.service", ...rule },
    ],
    machines: [zone("x"), zone("x"), zone("y"), {}],
    now: { "w@1.service": "m0", "w@2.service": "m1" },
    placed: ["w@1.service@m0", "w@2.service@m2"],
    unplaced: ["w@3.service unplaceable 3×spread 1×spread"],
  },
  {
    says: "no more replicas come to a machine, or stay there, than one of them allows",
    units: [{ name: "w@1.service", maxPerMachine: 1 }, { name: "w@2.service" }, { name: "w@3.service" }],
    machines: [{}, {}],
    now: { "w@1.service": "m0", "w@2.service": "m0" },
    placed: ["w@1.service@m0", "w@2.service@m1"],
    unplaced: ["w@3.service unplaceable 2×max-per-machine"],
  },
];

for (const { says, units, machines, now = {}, placed, unplaced = [] } of CASES) {
  test(says, () => {
    const current = Object.entries(now).map(([unit, name]) => [unit as UnitName, [machineId(Number(name.slice(1)))]]);
    const result = placeGroups({
      spec: specOf(units.map(sketch)),
      machines: machines.map(machine),
      current: new Map(current as [UnitName, Machine["id"][]][]),
      preferred: new Map(),
    });
    assert.deepEqual(result.seats.map(({ atom, machine: { name } }) => `${atom.group.name}@${name}`).sort(), placed);
    const missing = result.unplaced.map(
      ({ group, kind, because }) =>
        `${group} ${kind} ${because.map(({ count, reason }) => `${count}×${reason.code}`).join(" ")}`,
    );
    assert.deepEqual(missing, unplaced);
  });
}

test("of machines without room the one with the most is told of, with what is left of it", () => {
  const { unplaced } = placeGroups({
    spec: specOf(["a", "b", "c", "d"].map((name, index) => sketch({ name, ...cpu(3) }, index))),
    machines: [has(4), has(5), has(3)].map(machine),
    current: new Map(["a", "b", "c"].map((unit, index) => [unit as UnitName, [machineId(index)]])),
    preferred: new Map(),
  });
  assert.deepEqual(unplaced[0]!.because, [
    {
      reason: { code: "no-room", resource: "cpu", wanted: 3, free: 2, capacity: 5 },
      count: 3,
      examples: ["m0", "m1", "m2"],
    },
  ]);
});

function sketch(unit: Partial<UnitSketch> & { readonly name: string }, index: number): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { group: 100 + index, global: false, goal: "launched", ...constraints, move: "auto", text: "", ...unit };
}

function machine(change: Partial<Machine>, index: number): Machine {
  const facts = { id: machineId(index), name: `m${index}`, address: "", metadata: {}, presenceRevision: 1 };
  return { ...facts, drain: false, cordon: false, presence: "present", admitted: true, ...change };
}
