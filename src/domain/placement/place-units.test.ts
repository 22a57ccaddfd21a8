import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import { placeUnits } from "./place-units.ts";

interface Case {
  readonly says: string;
  readonly units: readonly (Partial<UnitSketch> & { readonly name: string })[];
  /** m0, m1, … in this order. */
  readonly machines: readonly Partial<Machine>[];
  readonly now?: Readonly<Record<string, string>>;
  readonly planned?: Readonly<Record<string, string>>;
  /** unit@machine, its reason's code, and the code of the reason's reason. */
  readonly placed: readonly string[];
  /** unit, kind, and count×code of each reason. */
  readonly unplaced?: readonly string[];
}

const web = { key: "role", values: ["web"], kind: "metadata" } as const;

const CASES: readonly Case[] = [
  {
    says: "new units fill the least loaded machine, by name where they are equal",
    units: [{ name: "a" }, { name: "b" }, { name: "c" }],
    machines: [{}, {}],
    placed: ["a@m0 least-loaded", "b@m1 least-loaded", "c@m0 least-loaded"],
  },
  {
    says: "a unit stays where it is, however empty the others are",
    units: [{ name: "a" }, { name: "b" }],
    machines: [{}, {}],
    now: { a: "m1", b: "m1" },
    placed: ["a@m1 stayed", "b@m1 stayed"],
  },
  {
    says: "on a machine of which nothing is known but its id stays what is there, and nothing comes",
    units: [
      { name: "a", machineMetadata: [web] },
      { name: "b", global: true },
      { name: "c", global: true },
      { name: "d" },
      { name: "e", machineId: "gone" },
    ],
    machines: [{ metadata: { role: "web" } }, { unrecorded: true }],
    now: { a: "m1", b: "m1", e: "m1" },
    placed: ["a@m1 stayed", "b@m0 global", "b@m1 global", "c@m0 global", "d@m0 least-loaded", "e@m1 stayed"],
  },
  {
    says: "once it is lost, what may move does",
    units: [
      { name: "a", machineMetadata: [web] },
      { name: "b", global: true },
    ],
    machines: [{ metadata: { role: "web" } }, { unrecorded: true, presence: "lost" }],
    now: { a: "m1", b: "m1" },
    placed: ["a@m0 moved lost", "b@m0 global", "b@m1 global"],
  },
  {
    says: "a new unit goes where the plan says, if that machine takes it",
    units: [{ name: "a" }, { name: "b" }],
    machines: [{}, { drain: true }],
    planned: { a: "m0", b: "m1" },
    placed: ["a@m0 planned", "b@m0 least-loaded"],
  },
  {
    says: "a pinned unit takes its only machine before others that could go anywhere",
    units: [
      { name: "a", conflicts: ["b"] },
      { name: "b", machineId: "m0" },
    ],
    machines: [{}, {}],
    placed: ["a@m1 least-loaded", "b@m0 only-fit"],
  },
  {
    says: "units of a group on two machines gather where most of them are, and a new one joins them",
    units: [1, 2, 3, 4].map((number) => ({ name: `g${number}`, group: 9 })),
    machines: [{}, {}],
    now: { g1: "m0", g2: "m1", g3: "m1" },
    placed: ["g1@m1 joined-group", "g2@m1 stayed", "g3@m1 stayed", "g4@m1 joined-group"],
  },
  {
    says: "absence moves nothing, loss moves what may move",
    units: [{ name: "a" }, { name: "b" }, { name: "c", move: "never" }],
    machines: [{}, { presence: "absent" }, { presence: "lost" }],
    now: { a: "m1", b: "m2", c: "m2" },
    placed: ["a@m1 stayed", "b@m0 moved lost", "c@m2 data-stays"],
  },
  {
    says: "drain moves away, cordon keeps what is there and takes nothing new",
    units: [{ name: "a" }, { name: "b" }, { name: "c" }],
    machines: [{ drain: true }, { cordon: true }, {}],
    now: { a: "m0", b: "m1" },
    placed: ["a@m2 moved drained", "b@m1 stayed", "c@m2 least-loaded"],
  },
  {
    says: "what fits nowhere else stays on the machine it should leave",
    units: [{ name: "a", machineId: "m0" }],
    machines: [{ drain: true }, {}],
    now: { a: "m0" },
    placed: ["a@m0 nowhere-else drained"],
  },
  {
    says: "one side's word is enough for a conflict, and the first by name stays",
    units: [{ name: "a" }, { name: "b", conflicts: ["a"] }],
    machines: [{}, {}],
    now: { a: "m0", b: "m0" },
    placed: ["a@m0 stayed", "b@m1 moved conflict"],
  },
  {
    says: "a replaced unit gives way on the machine of its replacer and goes elsewhere",
    units: [{ name: "a" }, { name: "b", replaces: ["a"] }],
    machines: [{}, {}],
    now: { a: "m0", b: "m0" },
    placed: ["a@m1 moved replaced-by", "b@m0 stayed"],
  },
  {
    says: "a new replacer displaces only where it fits nowhere else",
    units: [
      { name: "a" },
      { name: "b", replaces: ["a"] },
      { name: "c", replaces: ["d"], machineId: "m2" },
      { name: "d" },
    ],
    machines: [{}, {}, {}],
    now: { a: "m0", d: "m2" },
    placed: ["a@m0 stayed", "b@m1 least-loaded", "c@m2 only-fit", "d@m0 moved replaced-by"],
  },
  {
    says: "a global unit is on every machine that matches; drain and loss withdraw none, and nothing new comes to them",
    units: [
      { name: "old", global: true, group: 1 },
      { name: "new", global: true, group: 2, machineMetadata: [web] },
    ],
    machines: [{ metadata: { role: "web" } }, { metadata: { role: "web" }, drain: true }, { presence: "lost" }, {}],
    now: { old: "m0 m1 m2" },
    placed: ["new@m0 global", "old@m0 global", "old@m1 global", "old@m2 global", "old@m3 global"],
  },
  {
    says: "a single unit leaves the machine of a global one it conflicts with",
    units: [
      { name: "a", conflicts: ["g"] },
      { name: "g", global: true, machineMetadata: [web] },
    ],
    machines: [{ metadata: { role: "web" } }, {}],
    now: { a: "m0" },
    placed: ["a@m1 moved conflict", "g@m0 global"],
  },
  {
    says: "a unit that no machine could ever hold is unplaceable, one whose machine is away waits",
    units: [
      { name: "a", machineMetadata: [web] },
      { name: "b", machineId: "m1" },
    ],
    machines: [{}, { presence: "absent" }, {}, {}],
    placed: [],
    unplaced: ["a unplaceable 4×metadata", "b waiting 3×other-machine 1×absent"],
  },
  {
    says: "a machine the commit does not list gets nothing",
    units: [{ name: "a" }],
    machines: [{ admitted: false }],
    now: { a: "m0" },
    placed: [],
    unplaced: ["a unplaceable 1×not-admitted"],
  },
  {
    says: "units of a machine that has left the cluster go elsewhere; inactive units are nowhere",
    units: [{ name: "a" }, { name: "b", goal: "inactive" }],
    machines: [{}],
    now: { a: "m9", b: "m0" },
    placed: ["a@m0 moved lost"],
  },
];

for (const { says, units, machines, now = {}, planned = {}, placed, unplaced = [] } of CASES) {
  test(says, () => {
    const ids = (names: string) => names.split(" ").map((name) => machineId(Number(name.slice(1))));
    const result = placeUnits({
      spec: specOf(units.map(sketch)),
      machines: machines.map(machine),
      current: new Map(Object.entries(now).map(([unit, names]) => [unit as UnitName, ids(names)])),
      preferred: new Map(Object.entries(planned).map(([unit, name]) => [unit as UnitName, ids(name)[0]!])),
      sha256: (text) => createHash("sha256").update(text).digest("hex"),
    });
    const nameOf = (id: MachineId) => `m${Number.parseInt(id, 16)}`;
    const lines = result.placements.map(({ unit, machine: id, reason }) => {
      const why = "because" in reason && typeof reason.because === "object" ? ` ${reason.because.code}` : "";
      return `${unit}@${nameOf(id)} ${reason.code}${why}`;
    });
    assert.deepEqual(lines, placed);
    const missing = result.unplaced.map(
      ({ group, kind, because }) =>
        `${group} ${kind} ${because.map(({ count, reason }) => `${count}×${reason.code}`).join(" ")}`,
    );
    assert.deepEqual(missing, unplaced);
  });
}

test("an unplaced group names three machines for each reason, and what was in the way", () => {
  const result = placeUnits({
    spec: specOf([sketch({ name: "a", conflicts: ["g"] }, 0), sketch({ name: "g", global: true }, 1)]),
    machines: [0, 1, 2, 3].map((index) => machine({}, index)),
    current: new Map(),
    preferred: new Map(),
    sha256: (text) => text,
  });
  assert.deepEqual(result.unplaced[0]!.because, [
    { reason: { code: "conflict", unit: "a", with: "g" }, count: 4, examples: ["m0", "m1", "m2"] },
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
