import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { ClusterSnapshot, Release, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { UnitDrift } from "../drift/unit-drift.ts";
import type { UnitHash, UnitName } from "../names.ts";
import { indexUnits } from "../spec/index-units.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import { type DriftInput, findDrift } from "./find-drift.ts";

const sha256 = (text: string) => text;
const m0 = machineId(0);
const spec = specOf(["a", "b"].map(sketch));
const hashOf = (name: string) => unitOnMachine(spec.units.find((unit) => unit.name === name)!, null, spec, sha256).hash;
const other = "other" as UnitHash;

/** Both units on m0 as released, running. Each case changes something of it. */
const calm = inputOf({});

const CASES: readonly [string, DriftInput, readonly string[]][] = [
  ["a cluster that is as released has none", calm, []],
  [
    "before the first release there is nothing to differ from",
    { ...calm, snapshot: { ...calm.snapshot, release: null, statuses: [status("x", {})] } },
    [],
  ],
  [
    "somebody deleted a placement: the set is not what its header says",
    inputOf({ sets: (sets) => sets.map((set) => ({ ...set, placements: set.placements.slice(1) })) }),
    ["registry - m0 set-incomplete"],
  ],
  [
    "somebody wrote another hash into an assignment",
    inputOf({ assignments: (all) => all.map((one) => (one.unit === "a" ? { ...one, hash: other } : one)) }),
    ["registry a m0 other-than-release"],
  ],
  [
    "somebody assigned a unit the release does not have",
    inputOf({ assignments: (all) => [...all, { ...all[0]!, unit: "z" as UnitName }] }),
    ["registry z m0 not-in-release"],
  ],
  [
    "an edited index is drift, though nothing reads it to decide",
    { ...calm, index: calm.index!.map((entry) => (entry.name === "b" ? { ...entry, goal: "loaded" } : entry)) },
    ["registry b - index-edited"],
  ],
  ["a deleted index is one line, not one for each unit", { ...calm, index: [] }, ["registry - - index-missing"]],
  ["an index nobody read says nothing", { ...calm, index: null }, []],
  [
    "without the release's text only contradictions are found",
    { ...inputOf({ assignments: (all) => all.map((one) => ({ ...one, hash: other })) }), released: null },
    [],
  ],
  ["its machine runs other files", inputOf({ status: { hash: other } }), ["machine a m0 other-version"]],
  [
    "a foreign unit has its name",
    inputOf({ status: { problem: { code: "conflict", detail: "/etc/systemd/system/a", journal: [] } } }),
    ["machine a m0 blocked"],
  ],
  [
    "a failed unit is a failure, not drift",
    inputOf({ status: { active: "failed", problem: { code: "failed", detail: "", journal: [] } } }),
    [],
  ],
  ["stopped by hand", inputOf({ status: { active: "inactive", started: false } }), ["machine a m0 not-running"]],
  [
    "changed by hand and left so, whatever else is wrong with it",
    inputOf({ status: { active: "inactive", started: false, drift: driftOf("detected") } }),
    ["machine a m0 changed-by-hand"],
  ],
  ["changed by hand and put back", inputOf({ status: { drift: driftOf("corrected") } }), []],
  ["a oneshot that is done has run", inputOf({ status: { active: "inactive", started: true } }), []],
  ["runs where nothing placed it", inputOf({ also: [status("z", {})] }), ["machine z m0 left-over"]],
  ["what a machine that is away said last is old news", inputOf({ status: { hash: other }, present: false }), []],
  ["what an agent said that cannot look any more is old news", inputOf({ status: { hash: other }, isBlind: true }), []],
];

for (const [says, input, found] of CASES) {
  test(says, () => {
    const name = (machine: string | null) => (machine === null ? "-" : `m${Number(machine)}`);
    assert.deepEqual(
      findDrift(input).map(
        ({ where, unit, machine, because }) => `${where} ${unit ?? "-"} ${name(machine)} ${because.code}`,
      ),
      found,
    );
  });
}

function inputOf(change: {
  readonly sets?: (sets: ClusterSnapshot["sets"]) => ClusterSnapshot["sets"];
  readonly assignments?: (all: ClusterSnapshot["assignments"]) => ClusterSnapshot["assignments"];
  readonly status?: Partial<UnitStatus>;
  readonly also?: readonly UnitStatus[];
  readonly present?: boolean;
  readonly isBlind?: boolean;
}): DriftInput {
  const placements = spec.units.map(({ name, goal }) => ({ unit: name, hash: hashOf(name), goal }));
  const header = { epoch: 1, generation: 1, count: 2, digest: digestOfSet(placements, sha256) };
  const sets = [{ machine: m0, header, headerModRevision: 1, placements }];
  const assignments = placements.map((one) => ({ ...one, machine: m0, reason: "", modRevision: 1 }));
  const snapshot: ClusterSnapshot = {
    ...emptySnapshot,
    identity: { id: "1", name: "test", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
    release: { seq: 1, specHash: spec.specHash } as Release,
    members: [
      {
        id: m0,
        name: "m0",
        address: "",
        metadata: {},
        bootId: "",
        version: "",
        joined: "",
        acceptedSeq: 1,
        present: change.present ?? true,
        presenceRevision: 1,
        problem: change.isBlind === true ? { code: "cannot-look", detail: "", journal: [] } : null,
      },
    ],
    assignments: change.assignments?.(assignments) ?? assignments,
    sets: change.sets?.(sets) ?? sets,
    statuses: [status("a", { hash: hashOf("a"), ...change.status }), status("b", { hash: hashOf("b") })].concat(
      change.also ?? [],
    ),
  };
  const machines = machinesOf(spec, snapshot, new Set());
  return { snapshot, released: spec, machines, index: indexUnits(spec, sha256), sha256 };
}

function driftOf(outcome: UnitDrift["outcome"]): UnitDrift {
  return { seen: [{ kind: "stopped" }], since: "", corrected: 0, outcome };
}

function status(unit: string, change: Partial<UnitStatus>): UnitStatus {
  const said = { load: "loaded", active: "active", sub: "running", since: "", result: "", invocation: "" };
  return { unit: unit as UnitName, machine: m0, ...said, hash: null, started: true, problem: null, ...change };
}

function sketch(name: string, index: number): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { name, group: index, global: false, goal: "launched", ...constraints, move: "auto", text: "" };
}
