import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot, Member, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Change, Plan } from "./plan.ts";
import { type Moved, whatMoved } from "./what-moved.ts";

const id = (name: string) => name.slice(1).padStart(32, "0") as MachineId;
const [web, db, log] = ["web.service", "db.service", "log.service"] as UnitName[] as [UnitName, UnitName, UnitName];
const side = (machine: string, hash = "h1", goal: PlacedSide["goal"] = "launched"): PlacedSide => ({
  machine: id(machine),
  hash: hash as UnitHash,
  goal,
});
const member = (name: string, changes: Partial<Member> = {}): Member => ({
  id: id(name),
  name,
  address: "",
  metadata: { role: "web" },
  bootId: "",
  version: "",
  joined: "",
  acceptedSeq: 0,
  present: true,
  presenceRevision: 1,
  ...changes,
});
const release: Release = {
  seq: 4,
  commit: "c4" as CommitId,
  specHash: "s" as SpecHash,
  contentId: "",
  planId: "",
  parent: null,
  by: "bob",
  at: "2026-01-01T00:00:00.000Z",
};
const spec = { machines: [], admit: "any" } as unknown as ClusterSpec;
const assigned = (unit: UnitName, placed: PlacedSide) => ({ unit, ...placed, reason: "", modRevision: 1 });

/** web stays, db changes its files, log is global on both machines and leaves m2, where it was. */
const change = (unit: UnitName, from: PlacedSide | null, to: PlacedSide | null): Change => ({
  action: to === null ? "remove" : "change",
  effect: "restart",
  unit,
  from,
  to,
  reason: { code: "goal-changed" },
});
const plan: Pick<Plan, "clusterId" | "base" | "machines" | "placements" | "changes"> = {
  clusterId: "id",
  base: { releaseSeq: 4, releaseCommit: release.commit, basis: "" },
  machines: ["m1", "m2"].map((name) => ({ id: id(name), name, present: true, metadata: { role: "web" } })),
  placements: [
    { unit: db, ...side("m2", "h2"), reason: { code: "stayed" } },
    { unit: log, ...side("m1"), reason: { code: "global" } },
    { unit: web, ...side("m1"), reason: { code: "stayed" } },
  ],
  changes: [change(db, side("m2"), side("m2", "h2")), change(log, side("m2"), null)],
};
const set = (machine: string, units: readonly UnitName[]) => ({
  machine: id(machine),
  header: null,
  headerModRevision: 0,
  placements: units.map((unit) => ({ unit, hash: "h1" as UnitHash, goal: "launched" as const })),
});
const asPlanned: ClusterSnapshot = {
  ...emptySnapshot,
  identity: { id: "id", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
  release,
  members: [member("m1"), member("m2")],
  assignments: [assigned(db, side("m2")), assigned(web, side("m1"))],
  sets: [set("m1", [log, web]), set("m2", [db, log])],
};
const about = (name: string) => ({ machine: id(name), name });
const release5 = { ...release, seq: 5, commit: "c5" as CommitId };

const CASES: readonly [string, Partial<ClusterSnapshot>, readonly Moved[]][] = [
  ["nothing the plan recorded", {}, [{ code: "unrecorded" }]],
  [
    "another release",
    { release: release5 },
    [{ code: "release", was: { seq: 4, commit: release.commit }, now: release5 }],
  ],
  [
    "a release of the same number and another commit: the registry was restored",
    { release: { ...release5, seq: 4 } },
    [{ code: "release", was: { seq: 4, commit: release.commit }, now: { ...release5, seq: 4 } }],
  ],
  ["the release is gone", { release: null }, [{ code: "release", was: { seq: 4, commit: release.commit }, now: null }]],
  ["an empty registry, of which nothing else is said", { ...emptySnapshot }, [{ code: "no-cluster" }]],
  [
    "another cluster, of which nothing else is said",
    { identity: { ...asPlanned.identity!, id: "other" }, release: null, members: [] },
    [{ code: "other-cluster", was: "id", now: "other" }],
  ],
  [
    "a machine joined, one was removed",
    { members: [member("m1"), member("m3")] },
    [
      { code: "machine-left", ...about("m2") },
      { code: "machine-joined", ...about("m3") },
    ],
  ],
  [
    "a machine went away",
    { members: [member("m1", { present: false }), member("m2")] },
    [{ code: "machine-away", ...about("m1") }],
  ],
  [
    "a machine has other metadata",
    { members: [member("m1", { metadata: { zone: "a", role: "db" } }), member("m2")] },
    [{ code: "machine-metadata", ...about("m1"), keys: ["role", "zone"] }],
  ],
  [
    "a machine is called otherwise",
    { members: [member("m1"), member("m2", { name: "nas" })] },
    [{ code: "machine-renamed", ...about("m2"), now: "nas" }],
  ],
  [
    "a unit is on another machine, one is on none, one is new",
    { assignments: [assigned(web, side("m2")), assigned("new.service" as UnitName, side("m1"))], sets: [] },
    [
      { code: "unit-elsewhere", unit: db, was: [id("m2")], now: [] },
      { code: "unit-elsewhere", unit: log, was: [id("m1"), id("m2")], now: [] },
      { code: "unit-elsewhere", unit: "new.service" as UnitName, was: [], now: [id("m1")] },
      { code: "unit-elsewhere", unit: web, was: [id("m1")], now: [id("m2")] },
    ],
  ],
  [
    "a unit has the files it is to have, another has another goal",
    { assignments: [assigned(db, side("m2", "h2")), assigned(web, side("m1", "h1", "loaded"))] },
    [
      { code: "unit-version", unit: db, machine: id("m2"), was: "h1" as UnitHash, now: "h2" as UnitHash },
      { code: "unit-goal", unit: web, machine: id("m1"), was: "launched", now: "loaded" },
    ],
  ],
];

for (const [what, changes, expected] of CASES) {
  test(`what moved: ${what}`, () => {
    const snapshot = { ...asPlanned, ...changes };
    assert.deepEqual(whatMoved(plan, snapshot, machinesOf(spec, snapshot, new Set())), expected);
  });
}

test("a machine that was away when the plan was made came back", () => {
  const away = { ...plan, machines: plan.machines.map((machine) => ({ ...machine, present: machine.name === "m1" })) };
  assert.deepEqual(whatMoved(away, asPlanned, null), [{ code: "machine-returned", ...about("m2") }]);
});

test("without the plan's spec nothing is said of names and metadata, which git may have set", () => {
  const snapshot = { ...asPlanned, members: [member("m1", { metadata: {} }), member("m2", { name: "nas" })] };
  assert.deepEqual(whatMoved(plan, snapshot, null), [{ code: "unrecorded" }]);
});

test("a plan made before there was a machine recorded no placements: only the machine is said", () => {
  const first = { ...plan, clusterId: null, base: { ...plan.base, releaseSeq: 0, releaseCommit: null }, machines: [] };
  const snapshot = { ...asPlanned, identity: null, release: null, members: [member("m1")] };
  assert.deepEqual(whatMoved({ ...first, placements: [], changes: [] }, snapshot, null), [
    { code: "machine-joined", ...about("m1") },
  ]);
});
