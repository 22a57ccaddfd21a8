import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { ClusterSnapshot, Member, PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { CommitId, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec, UnitGoal } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import { basisOf } from "./basis-of.ts";
import { newlyUnplaceable } from "./newly-unplaceable.ts";
import { planChanges } from "./plan-changes.ts";
import { planVerdict } from "./plan-verdict.ts";

const sha256 = (text: string) => text;
const commit = "c".repeat(40) as CommitId;

interface Case {
  readonly says: string;
  readonly units: readonly Sketched[];
  /** What the registry has: unit, machine number, whether its files are those of the commit, goal. */
  readonly now: readonly (readonly [string, number, "same" | "other", UnitGoal])[];
  readonly changes: readonly string[];
}

type Sketched = Partial<UnitSketch> & { readonly name: string };

const CASES: readonly Case[] = [
  { says: "a new unit starts", units: [{ name: "a" }], now: [], changes: ["add start a →0 new-unit"] },
  {
    says: "a new unit to be loaded is loaded",
    units: [{ name: "a", goal: "loaded" }],
    now: [],
    changes: ["add quiet a →0 new-unit"],
  },
  {
    says: "what is as it should be is no change",
    units: [{ name: "a" }],
    now: [["a", 1, "same", "launched"]],
    changes: [],
  },
  {
    says: "other files restart a unit",
    units: [{ name: "a" }],
    now: [["a", 1, "other", "launched"]],
    changes: ["change restart a 1→1 files-changed"],
  },
  {
    says: "other files of a loaded unit restart it where something activated it",
    units: [{ name: "a", goal: "loaded" }],
    now: [["a", 1, "other", "loaded"]],
    changes: ["change restart a 1→1 files-changed"],
  },
  {
    says: "loaded becomes launched: it starts",
    units: [{ name: "a" }],
    now: [["a", 0, "same", "loaded"]],
    changes: ["change start a 0→0 goal-changed"],
  },
  {
    says: "launched becomes loaded: it stops",
    units: [{ name: "a", goal: "loaded" }],
    now: [["a", 0, "same", "launched"]],
    changes: ["change stop a 0→0 goal-changed"],
  },
  {
    says: "launched becomes inactive: it stops and goes",
    units: [{ name: "a", goal: "inactive" }],
    now: [["a", 0, "same", "launched"]],
    changes: ["remove stop a 0→ goal-changed"],
  },
  {
    says: "gone from the commit: it is removed",
    units: [],
    now: [["a", 0, "same", "launched"]],
    changes: ["remove stop a 0→ gone-from-commit"],
  },
  {
    says: "pinned elsewhere: it moves",
    units: [{ name: "a", machineId: "m1" }],
    now: [["a", 0, "same", "launched"]],
    changes: ["move move a 0→1 moved"],
  },
  {
    says: "pinned to a machine nobody knows: it stops, and says so",
    units: [{ name: "a", machineId: "m7" }],
    now: [["a", 0, "same", "launched"]],
    changes: ["remove stop a 0→ no-longer-fits"],
  },
  {
    says: "a global unit comes to a machine that joined",
    units: [{ name: "a", global: true }],
    now: [["a", 0, "same", "launched"]],
    changes: ["add start a →1 machine-joined"],
  },
  {
    says: "worst first, then by name",
    units: [{ name: "b" }, { name: "c" }, { name: "d", machineId: "m1" }],
    now: [
      ["z", 0, "same", "launched"],
      ["c", 0, "other", "launched"],
      ["d", 0, "same", "launched"],
    ],
    changes: [
      "remove stop z 0→ gone-from-commit",
      "move move d 0→1 moved",
      "change restart c 0→0 files-changed",
      "add start b →0 new-unit",
    ],
  },
];

for (const { says, units, now, changes } of CASES) {
  test(says, () => {
    const spec = specOf(units.map(sketch));
    const snapshot = snapshotOf(spec, now);
    const plan = planChanges({
      spec,
      released: null,
      snapshot,
      machines: machinesOf(spec, snapshot, new Set()),
      commit,
      partial: null,
      sha256,
    });
    const number = (side: { readonly machine: string } | null) => (side === null ? "" : String(Number(side.machine)));
    assert.deepEqual(
      plan.changes.map(
        ({ action, effect, unit, from, to, reason }) =>
          `${action} ${effect} ${unit} ${number(from)}→${number(to)} ${reason.code}`,
      ),
      changes,
    );
    assert.equal(plan.waves.length, changes.length === 0 ? 0 : 1);
  });
}

test("what runs already goes where it runs and is adopted; where several run it, on the first by name", () => {
  const sketched = [
    { name: "both" },
    { name: "everywhere", global: true },
    { name: "nowhere" },
    { name: "one" },
    { name: "unasked", machineId: "m1" },
  ];
  const compiled = specOf(sketched.map(sketch));
  const units = compiled.units.map((unit) => (unit.name === "unasked" ? unit : { ...unit, adopt: true as const }));
  const spec = { ...compiled, units };
  const here = snapshotOf(spec, []);
  const foreign = [["both"], ["both", "everywhere", "one", "unasked"]] as UnitName[][];
  const members = here.members.map((member, index) => ({ ...member, foreign: foreign[index]! }));
  const snapshot = { ...here, members };
  const { changes } = planChanges({
    spec,
    released: null,
    snapshot,
    machines: machinesOf(spec, snapshot, new Set()),
    commit,
    partial: null,
    sha256,
  });
  assert.deepEqual(
    changes.map(({ action, unit, to, reason }) => [
      `${action} ${unit} ${Number(to!.machine)}`,
      reason.code === "runs-here" ? reason.others.map(Number) : reason.code,
    ]),
    [
      ["add everywhere 0", "new-unit"],
      ["add nowhere 0", "new-unit"],
      ["add unasked 1", "new-unit"],
      ["adopt both 0", [1]],
      ["adopt everywhere 1", []],
      ["adopt one 1", []],
    ],
  );
});

test("with no machine yet, nothing is decided and nothing goes: what would run is unknown", () => {
  const spec = specOf([{ name: "a" }, { name: "b", goal: "inactive" as const }].map(sketch));
  const plan = planChanges({
    spec,
    released: null,
    snapshot: emptySnapshot,
    machines: [],
    commit,
    partial: null,
    sha256,
  });
  assert.deepEqual([plan.unknown, plan.changes, plan.unplaced], [["a"], [], []]);
});

test("the basis moves with what the deciders read, and with nothing else", () => {
  const spec = specOf([{ name: "a" }].map(sketch));
  const snapshot = snapshotOf(spec, [["a", 0, "same", "launched"]]);
  const changed = (change: Partial<Member>): ClusterSnapshot => ({
    ...snapshot,
    members: snapshot.members.map((member, index) => (index === 0 ? { ...member, ...change } : member)),
  });
  const plan = { placements: ["a", "b"].map((unit) => ({ unit: unit as UnitName })) };
  const basis = basisOf(snapshot, plan, sha256);
  const same = [
    changed({ address: "10.0.0.9", acceptedSeq: 4, bootId: "x" }),
    { ...snapshot, revision: 12, releaseModRevision: 3 },
    // It is fleet's by now, whatever its machine said before.
    changed({ foreign: ["a" as UnitName] }),
    // No unit of this commit: it comes and goes as its owner likes.
    changed({ foreign: ["backup" as UnitName] }),
  ];
  for (const other of same) assert.equal(basisOf(other, plan, sha256), basis);
  const moved = [
    changed({ present: false }),
    changed({ metadata: { role: "db" } }),
    changed({ name: "other" }),
    changed({ capacity: { cpuMilli: 1_000, memoryBytes: 0 } }),
    changed({ foreign: ["b" as UnitName] }),
    snapshotOf(spec, [["a", 1, "same", "launched"]]),
    snapshotOf(spec, [["a", 0, "other", "launched"]]),
    { ...snapshot, members: snapshot.members.slice(1) },
  ];
  for (const other of moved) assert.notEqual(basisOf(other, plan, sha256), basis);
});

test("a new unit that fits nowhere forbids an apply, and so does one that runs; one that never fitted does not", () => {
  const spec = specOf(["a", "b", "c"].map((name) => ({ name, machineId: "m7" })).map(sketch));
  const snapshot = snapshotOf(spec, [["b", 0, "same", "launched"]]);
  const plan = planChanges({
    spec,
    released: null,
    snapshot,
    machines: machinesOf(spec, snapshot, new Set()),
    commit,
    partial: null,
    sha256,
  });
  assert.deepEqual(newlyUnplaceable(plan, snapshot, new Set(["b", "c"] as UnitName[])), ["a", "b"]);
});

test("the verdict says what stays down when one machine is lost", () => {
  const spec = specOf([{ name: "a", machineId: "m0" }, { name: "b" }, { name: "g", global: true }].map(sketch));
  const snapshot = snapshotOf(spec, []);
  const machines = machinesOf(spec, snapshot, new Set());
  const plan = planChanges({ spec, released: null, snapshot, machines, commit, partial: null, sha256 });
  assert.deepEqual(planVerdict(plan, spec, machines).loss, [
    { machine: machineId(0), down: [{ unit: "a", because: { code: "pinned", machine: "m0" } }], moves: 0, budgets: [] },
  ]);
});

test("the verdict says what runs at most once in a partition, and how many may run twice", () => {
  const bare = specOf([{ name: "a" }, { name: "b" }, { name: "c" }, { name: "g", global: true }].map(sketch));
  const groups = bare.groups.map((group) => (group.name === "c" ? { ...group, move: "never" as const } : group));
  const units = bare.units.map((unit) => (unit.name === "a" ? { ...unit, stopAfterMs: 20_000 } : unit));
  const spec = { ...bare, groups, units };
  const snapshot = snapshotOf(spec, []);
  const machines = machinesOf(spec, snapshot, new Set());
  const plan = planChanges({ spec, released: null, snapshot, machines, commit, partial: null, sha256 });
  assert.deepEqual(planVerdict(plan, spec, machines).partition, { atMostOnce: ["a"], mayRunTwice: 1 });
});

function sketch(unit: Sketched, index: number): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { group: 100 + index, global: false, goal: "launched", ...constraints, move: "auto", text: "", ...unit };
}

/** Two machines, m0 and m1, both there. Global units have no assignment. */
function snapshotOf(spec: ClusterSpec, now: Case["now"]): ClusterSnapshot {
  const placed = now.map(([name, number, files, goal]) => {
    const unit = spec.units.find((candidate) => candidate.name === name);
    const hash = unit === undefined ? "gone" : unitOnMachine(unit, null, spec, sha256).hash;
    const row: PlacedUnit = { unit: name as UnitName, hash: (files === "same" ? hash : "other") as UnitHash, goal };
    return { ...row, machine: machineId(number), isGlobal: unit?.options.global === true };
  });
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0, metadata: {} };
  return {
    ...emptySnapshot,
    members: [0, 1].map((number) => ({
      id: machineId(number),
      name: `m${number}`,
      ...facts,
      present: true,
      presenceRevision: 1,
    })),
    assignments: placed
      .filter((row) => !row.isGlobal)
      .map(({ unit, machine, hash, goal }) => ({ unit, machine, hash, goal, reason: "", modRevision: 1 })),
    sets: [0, 1].map((number) => ({
      machine: machineId(number),
      header: null,
      headerModRevision: 1,
      placements: placed.filter((row) => row.machine === machineId(number)),
    })),
  };
}
