import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import type { UnitName } from "../names.ts";
import { placeGroups } from "./place-groups.ts";

const CAN = { capabilities: ["quadlet"] };
const CANNOT = { capabilities: [] };

/** Of the unit `q.container`, as systemd's `a.service` is the machine's either way. */
const CASES: readonly {
  readonly says: string;
  readonly machines: readonly Partial<Machine>[];
  readonly now?: Readonly<Record<string, string>>;
  readonly global?: boolean;
  readonly placed: readonly string[];
  readonly unplaced?: readonly string[];
}[] = [
  {
    says: "a quadlet goes where podman's generator is, however loaded that machine is",
    machines: [CANNOT, CAN],
    now: { a: "m1" },
    placed: ["a@m1", "q.container@m1"],
  },
  {
    says: "where no machine has one it is unplaceable, and why is said",
    machines: [CANNOT, CANNOT],
    placed: ["a@m0"],
    unplaced: ["q.container unplaceable 2×capability"],
  },
  {
    says: "a machine that does not say what it can may",
    machines: [{}, CANNOT],
    placed: ["a@m1", "q.container@m0"],
  },
  {
    says: "one that is there stays where podman is updated, or gone: a restart elsewhere mends nothing",
    machines: [CANNOT, CAN],
    now: { "q.container": "m0" },
    placed: ["a@m1", "q.container@m0"],
  },
  {
    says: "a global one is where it can be, and stays where it was",
    machines: [CANNOT, CAN, CANNOT],
    global: true,
    now: { "q.container": "m2" },
    placed: ["a@m0", "q.container@m1", "q.container@m2"],
  },
];

for (const { says, machines, now = {}, global = false, placed, unplaced = [] } of CASES) {
  test(says, () => {
    const spec = specOf([sketch({ name: "a" }, 0), sketch({ name: "q.container", global }, 1)]);
    const units = spec.units.map((unit) =>
      unit.name === "q.container" ? { ...unit, kind: "quadlet" as const } : unit,
    );
    const homes = Object.entries(now).map(([unit, home]) => [unit as UnitName, [machineId(Number(home[1]))]] as const);
    const result = placeGroups({
      spec: { ...spec, units },
      machines: machines.map(machine),
      current: new Map(homes),
      preferred: new Map(),
    });
    const seats = result.seats.map(({ atom, machine: { name } }) => `${atom.group.name}@${name}`);
    assert.deepEqual(seats.sort(), placed);
    const without = result.unplaced.map(({ group, kind, because }) => {
      return `${group} ${kind} ${because.map(({ reason, count }) => `${count}×${reason.code}`).join(" ")}`;
    });
    assert.deepEqual(without, unplaced);
  });
}

function sketch(unit: Partial<UnitSketch> & { readonly name: string }, index: number): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { group: 100 + index, global: false, goal: "launched", ...constraints, move: "auto", text: "", ...unit };
}

function machine(change: Partial<Machine>, index: number): Machine {
  const facts = { id: machineId(index), name: `m${index}`, address: "", metadata: {}, presenceRevision: 1 };
  return { ...facts, drain: false, cordon: false, presence: "present", admitted: true, ...change };
}
