import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { ClusterSnapshot, Member, Release, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import type { BaseSpec } from "./base-versions.ts";
import type { Settling } from "./judge-settling.ts";
import { nextWrites } from "./next-writes.ts";

const sha256 = (text: string) => text;
const HEALTHY_MS = 5_000;
const problem = (code: string) => ({ code, detail: "", journal: [] });
const ACTIVE = { load: "loaded", active: "active", sub: "running", since: "", result: "", invocation: "i" };
const UP = { ...ACTIVE, started: true, problem: null };
const NAMES = ["web@1.service", "web@2.service", "web@3.service"];

/** What of `web@1` to `web@3` on three machines is placed and seen: an `o` is the old version, an `n` the new one. */
interface Case {
  readonly placed: readonly ("o" | "n" | null)[];
  /** By unit; what is not mentioned is seen up with the version that is placed. `null`: its agent has not spoken of it. */
  readonly seen?: Readonly<Record<number, Partial<UnitStatus> | null>>;
  readonly absent?: number;
  readonly behind?: number;
  readonly blind?: true;
  /** Milliseconds for which a changed unit is up already, by unit. */
  readonly upForMs?: Readonly<Record<number, number>>;
  readonly writes: readonly string[];
  /** Whether waves are left after these writes. */
  readonly isOver?: true;
}

const CASES: Readonly<Record<string, Case>> = {
  "everything that is new is written at once": {
    placed: [null, null, null],
    seen: { 0: null, 1: null, 2: null },
    writes: ["web@1", "web@2", "web@3"],
    isOver: true,
  },
  "the first of three is changed": { placed: ["o", "o", "o"], writes: ["web@1"] },
  "the second follows once the first is up": { placed: ["n", "o", "o"], writes: ["web@2"] },
  "and the last": { placed: ["n", "n", "o"], writes: ["web@3"], isOver: true },
  "not while the first's agent has not spoken of it": { placed: ["n", "o", "o"], seen: { 0: null }, writes: [] },
  "not while it still runs the old version": {
    placed: ["n", "o", "o"],
    seen: { 0: { hash: "o" as UnitHash } },
    writes: [],
  },
  "not while it is on its way up": { placed: ["n", "o", "o"], seen: { 0: { active: "activating" } }, writes: [] },
  "not while its own check has not passed": {
    placed: ["n", "o", "o"],
    seen: { 0: { health: { state: "unknown", detail: "" } } },
    writes: [],
  },
  "one of the old version whose own check fails is changed first": {
    placed: ["o", "o", "o"],
    seen: { 1: { health: { state: "failing", detail: "x" } } },
    writes: ["web@2"],
  },
  "not where it failed": {
    placed: ["n", "o", "o"],
    seen: { 0: { active: "failed", problem: problem("failed") } },
    writes: [],
  },
  "not before it has been up for its time": { placed: ["n", "o", "o"], upForMs: { 0: HEALTHY_MS - 1 }, writes: [] },
  "but then": { placed: ["n", "o", "o"], upForMs: { 0: HEALTHY_MS }, writes: ["web@2"] },
  "one that is down with the old version is changed first, and the others wait for it": {
    placed: ["o", "o", "o"],
    seen: { 1: { active: "failed", problem: problem("failed") } },
    writes: ["web@2"],
  },
  "where nobody is up, nobody waits for anybody: a mended version replaces all at once": {
    placed: ["o", "o", "o"],
    seen: { 0: { active: "failed", problem: problem("failed") }, 1: { active: "inactive" }, 2: null },
    writes: ["web@1", "web@2", "web@3"],
    isOver: true,
  },
  "one whose machine is away is written, and its siblings are not taken down": {
    placed: ["o", "o", "o"],
    absent: 2,
    writes: ["web@3"],
  },
  "where no status can be read, nothing that may run is taken down": {
    placed: ["o", "o", "o"],
    seen: { 0: { active: "failed", problem: problem("failed") } },
    blind: true,
    writes: [],
  },
  "where no status can be read, what is new and what a lost machine had is written all the same": {
    placed: [null, "o", "o"],
    absent: 2,
    blind: true,
    writes: ["web@1", "web@3"],
  },
  "one whose machine refuses what it was given holds its siblings too": {
    placed: ["n", "o", "o"],
    seen: { 0: { hash: "o" as UnitHash } },
    behind: 0,
    writes: [],
  },
};

for (const [sentence, { placed, seen = {}, absent, behind, blind, upForMs = {}, writes, isOver }] of Object.entries(
  CASES,
)) {
  test(sentence, () => {
    const spec = specOf(NAMES.map((name, index) => sketch({ name, group: index, machineId: `m${index}` })));
    const units = spec.units.map((unit) => ({ ...unit, rollout: { ...unit.rollout, minHealthyTimeMs: HEALTHY_MS } }));
    const hashes = units.map((unit) => unitOnMachine(unit, null, spec, sha256).hash);
    const members = NAMES.map((_, index) =>
      member(index, {
        present: index !== absent,
        problem: index === behind ? problem("commit-unavailable") : null,
      }),
    );
    const snapshot = snapshotOf(
      members,
      placed.flatMap((version, index) =>
        version === null
          ? []
          : [{ unit: NAMES[index] as UnitName, index, hash: version === "n" ? hashes[index]! : ("o" as UnitHash) }],
      ),
      seen,
    );
    const settling = Object.entries(upForMs).map(
      ([index, ms]): Settling => ({
        unit: NAMES[Number(index)] as UnitName,
        machine: machineId(Number(index)),
        hash: hashes[Number(index)]!,
        upSinceMs: 100_000 - ms,
      }),
    );
    const next = answer({ ...spec, units }, snapshot, settling, null, blind !== true);
    assert.deepEqual(
      next.writes.flatMap((write) => write.changes.map((change) => change.unit.replace(".service", ""))).sort(),
      writes,
    );
    assert.equal(next.held.length === 0, isOver === true);
    if (isOver) assert.deepEqual(next.settling, [], "nothing is left to wait for it");
    else for (const unit of writes) assert.ok(next.settling.some((one) => one.unit.startsWith(unit)));
  });
}

for (const [what, isGlobal] of [
  ["copies of a global unit", true],
  ["instances of a template", false],
] as const) {
  test(`where all sets were wiped, ${what} that run on are changed one after the other all the same`, () => {
    const spec = isGlobal
      ? specOf([sketch({ name: "g.service", group: 1, global: true })])
      : specOf(NAMES.map((name, index) => sketch({ name, group: index, machineId: `m${index}` })));
    const placed = NAMES.map((name, index) => ({
      unit: (isGlobal ? "g.service" : name) as UnitName,
      index,
      hash: "o" as UnitHash,
    }));
    const members = NAMES.map((_, index) => member(index, { setEpoch: 1 }));
    const { sets, assignments, ...rest } = snapshotOf(members, placed, {});
    const identity = { id: "c", name: "c", source: "", branch: "", manifest: "", epoch: 1 };
    const release = { seq: 1, commit: "1", specHash: "1" } as unknown as Release;
    const kept = sets.map(({ machine, placements }) => ({
      ...{ machine, identity, release, epoch: 1, generation: 1, placements },
    }));
    const wiped = { ...rest, identity, sets: [], kept, assignments: isGlobal ? [] : assignments };
    const { held, writes, changes } = answer(spec, wiped, []);
    assert.deepEqual([changes.length, held.length], [3, 2]);
    const written = writes.flatMap((write) => write.changes.flatMap(({ to }) => (to === null ? [] : [to.hash])));
    assert.equal(written.filter((hash) => hash !== "o").length, 1, "one has the new version, the others are restored");
  });
}

test("a global unit that is to go and whose turn has not come stays as it is: in its sets, without an assignment", () => {
  const dependent = sketch({ name: "a.service", group: 1, machineId: "m0" });
  const global = sketch({ name: "g.service", group: 2, global: true });
  const after = (spec: ReturnType<typeof specOf>) => ({
    ...spec,
    units: spec.units.map((unit) => (unit.name === "a.service" ? { ...unit, after: ["g.service" as UnitName] } : unit)),
  });
  const placed = (unit: string, index: number) => ({ unit: unit as UnitName, index, hash: "o" as UnitHash });
  // The only copy of the global unit is on another machine, so its stop waits for a later wave.
  const snapshot = snapshotOf([member(0, {}), member(1, {})], [placed("a.service", 0), placed("g.service", 1)], {});
  const next = answer(
    specOf([dependent]),
    { ...snapshot, assignments: snapshot.assignments.slice(0, 1) },
    [],
    after(specOf([dependent, global])),
  );
  assert.deepEqual(
    next.writes.flatMap((write) => write.changes.map((change) => change.unit)),
    ["a.service"],
  );
  assert.deepEqual(
    next.held.map((change) => change.unit),
    ["g.service"],
  );
});

test("a unit that was global and waits to become a single one is assigned to no machine meanwhile", () => {
  const names = ["g.service", "z.service"];
  const spec = specOf(names.map((name, group) => sketch({ name, group, machineId: `m${2 * group}` })));
  const after = { ...spec, units: spec.units.map((unit) => ({ ...unit, after: ["z.service" as UnitName] })) };
  const placed = (unit: string, index: number) => ({ unit: unit as UnitName, index, hash: "o" as UnitHash });
  const snapshot = snapshotOf(
    [0, 1, 2].map((index) => member(index, {})),
    [placed("g.service", 0), placed("g.service", 1), placed("z.service", 2)],
    {},
  );
  const next = answer(after, { ...snapshot, assignments: snapshot.assignments.slice(2) }, []);
  assert.deepEqual(
    next.writes.flatMap((write) => write.changes.map((change) => change.unit)),
    ["z.service"],
  );
});

test("what is placed since before a release that failed is known by the last one that ended well", () => {
  const specWith = (text: string) => specOf([sketch({ name: "a.service", group: 1, machineId: "m0", text })]);
  const [old, failed, spec] = [specWith("old"), specWith("failed"), specWith("new")];
  const { hash } = unitOnMachine(old!.units[0]!, null, old!, sha256);
  const snapshot = snapshotOf([member(0, {})], [{ unit: "a.service" as UnitName, index: 0, hash }], {});
  const causesKnowing = (base: BaseSpec) => {
    const [change] = answer(spec!, snapshot, [], failed!, true, base).changes;
    return change?.reason.code === "files-changed" ? change.reason.causes : assert.fail("its files change");
  };
  assert.equal(causesKnowing("unknown"), null);
  assert.notEqual(causesKnowing(old!), null);
});

function answer(
  spec: ReturnType<typeof specOf>,
  snapshot: ClusterSnapshot,
  settling: readonly Settling[],
  released: ReturnType<typeof specOf> | null = null,
  hasStatuses = true,
  base: BaseSpec = null,
) {
  const machines = machinesOf(spec, snapshot, new Set());
  const current = machinesOfUnits(placedNow(snapshot));
  const wanted = placeUnits({ spec, machines, current, preferred: new Map(), sha256 }).placements;
  const specs = { spec, released, base };
  return nextWrites({ ...specs, snapshot, hasStatuses, machines, wanted, settling, nowMs: 100_000, sha256 });
}

function snapshotOf(
  members: readonly Member[],
  placed: readonly { readonly unit: UnitName; readonly index: number; readonly hash: UnitHash }[],
  seen: Readonly<Record<number, Partial<UnitStatus> | null>>,
): ClusterSnapshot {
  const goal = "launched" as const;
  return {
    ...emptySnapshot,
    members,
    assignments: placed.map(({ unit, index, hash }) => ({
      unit,
      machine: machineId(index),
      hash,
      goal,
      reason: "",
      modRevision: 1,
    })),
    sets: members.map(({ id }) => {
      const placements = placed
        .filter(({ index }) => machineId(index) === id)
        .map(({ unit, hash }) => ({ unit, hash, goal }));
      const header = { epoch: 0, generation: 1, count: placements.length, digest: digestOfSet(placements, sha256) };
      return { machine: id, header, headerModRevision: 1, placements };
    }),
    statuses: placed.flatMap(({ unit, index, hash }) => {
      const status = seen[index];
      return status === null ? [] : [{ unit, machine: machineId(index), hash, ...UP, ...status }];
    }),
  };
}

function member(index: number, more: Partial<Member>): Member {
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0, metadata: {}, presenceRevision: 1 };
  const id: MachineId = machineId(index);
  return { id, name: `m${index}`, ...facts, present: true, ...more };
}

function sketch(unit: Partial<UnitSketch>): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return { name: "", group: 0, global: false, goal: "launched", ...constraints, move: "auto", text: "x", ...unit };
}
