import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Entry } from "../ports/registry.ts";
import { encodeRecord } from "./record.ts";
import { registryKeys } from "./registry-keys.ts";
import { snapshotFromEntries } from "./snapshot-from-entries.ts";

const keys = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;
const M2 = "2".repeat(32) as MachineId;
const A = "a.service" as UnitName;
const B = "b.service" as UnitName;
const hash = "0".repeat(64);

const identity = { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
const release = { seq: 3, commit: "f", specHash: "e", contentId: "d", planId: "p", parent: null, by: "ann", at: "" };
const member = { name: "m", address: "", metadata: {}, bootId: "b", version: "1", joined: "", acceptedSeq: 3 };
const header = { epoch: 1, generation: 7, count: 1, digest: "x" };
const status = {
  load: "loaded",
  active: "active",
  sub: "running",
  hash,
  started: true,
  since: "",
  result: "",
  invocation: "",
  problem: null,
};
const placed = { hash, goal: "launched" };

let revisions = 0;
const entry = (key: string, record: object | string): Entry => {
  revisions++;
  const value = typeof record === "string" ? record : encodeRecord(record);
  return { key, value, createRevision: revisions, modRevision: revisions + 100, version: 1, lease: null };
};

const WHOLE: readonly Entry[] = [
  entry(keys.status(M1, A), status),
  entry(keys.placement(M1, B), placed),
  entry(keys.placement(M1, A), placed),
  entry(keys.set(M1), { ...header, op: "o" }),
  entry(keys.assign(B), { ...placed, machine: M1, reason: "planned" }),
  entry(keys.assign(A), { ...placed, machine: M1, reason: "planned" }),
  entry(keys.member(M2), member),
  entry(keys.member(M1), member),
  entry(keys.presence(M1), { bootId: "b", op: "o" }),
  entry(keys.release, { ...release, op: "o" }),
  entry(keys.cluster, identity),
  entry(keys.releaseAt(3), { ...release, op: "o" }),
  entry(keys.leader, { machine: M1, term: 1, op: "o" }),
  entry(keys.specChunk("e", 0), "not looked at"),
];
const revisionOf = (key: string) => WHOLE.find((one) => one.key === key)!;

test("what a machine has is read, and nothing where its record says what no machine has", () => {
  const capacity = { cpuMilli: 4_000, memoryBytes: 2 ** 30 };
  const { snapshot, quarantined } = snapshotFromEntries(
    keys,
    [
      entry(keys.member(M1), { ...member, capacity: { ...capacity, disk: 1 } }),
      entry(keys.member(M2), { ...member, capacity: { cpuMilli: -1, memoryBytes: 1 } }),
    ],
    500,
  );
  assert.deepEqual([snapshot.members.map((one) => one.capacity), quarantined], [[capacity, undefined], []]);
});

test("entries in any order are one sorted snapshot, with what later writes compare", () => {
  for (const entries of [WHOLE, WHOLE.toReversed()]) {
    const { snapshot, quarantined, newerVersion } = snapshotFromEntries(keys, entries, 500);
    assert.deepEqual([quarantined, newerVersion], [[], null]);
    const presenceRevision = revisionOf(keys.presence(M1)).createRevision;
    const assign = (unit: UnitName) => ({
      ...placed,
      unit,
      machine: M1,
      reason: "planned",
      modRevision: revisionOf(keys.assign(unit)).modRevision,
    });
    assert.deepEqual(snapshot, {
      revision: 500,
      identity,
      release,
      releaseModRevision: revisionOf(keys.release).modRevision,
      members: [
        { ...member, id: M1, present: true, presenceRevision },
        { ...member, id: M2, present: false, presenceRevision: 0 },
      ],
      assignments: [assign(A), assign(B)],
      damagedAssignments: [],
      sets: [
        {
          machine: M1,
          header,
          headerModRevision: revisionOf(keys.set(M1)).modRevision,
          placements: [
            { ...placed, unit: A },
            { ...placed, unit: B },
          ],
        },
      ],
      statuses: [{ ...status, unit: A, machine: M1 }],
    });
  }
});

test("each record that cannot be read is named, and all the others are there", () => {
  const { snapshot: whole } = snapshotFromEntries(keys, WHOLE, 500);
  const readable = [...WHOLE].filter(
    ({ key }) => ![keys.presence(M1), keys.leader, keys.releaseAt(3), keys.specChunk("e", 0)].includes(key),
  );
  const counts = (snapshot: typeof whole) =>
    [snapshot.identity, snapshot.release].filter((one) => one !== null).length +
    snapshot.members.filter(({ unrecorded }) => unrecorded === undefined).length +
    snapshot.assignments.length +
    snapshot.statuses.length +
    snapshot.sets.reduce((sum, set) => sum + set.placements.length + (set.header === null ? 0 : 1), 0);
  for (const damaged of readable) {
    for (const value of ["", "{", "[]", '{"v":1}', '{"no":"version"}']) {
      const entries = WHOLE.map((one) => (one === damaged ? { ...one, value } : one));
      const { snapshot, quarantined, newerVersion } = snapshotFromEntries(keys, entries, 500);
      assert.deepEqual([quarantined.map(({ key }) => key), newerVersion], [[damaged.key], null]);
      assert.equal(counts(snapshot), counts(whole) - 1, `${damaged.key} as ${value}`);
    }
  }
});

test("a machine that has a set or a unit and no record is one of which only the id is known, and whether it is there", () => {
  const kept = WHOLE.filter(({ key }) => key !== keys.member(M1));
  const { snapshot } = snapshotFromEntries(keys, kept, 500);
  const [m1, m2] = snapshot.members;
  assert.deepEqual([m1?.id, m1?.name, m1?.unrecorded, m1?.present], [M1, M1, true, true]);
  assert.deepEqual([m2?.id, m2?.unrecorded], [M2, undefined]);
  const ofMachine = (machine: string) => [entry(keys.assign(A), { ...placed, machine, reason: "planned" })];
  const members = (machine: string) => snapshotFromEntries(keys, ofMachine(machine), 500).snapshot.members;
  assert.deepEqual(
    members(M2).map(({ id, present }) => [id, present]),
    [[M2, false]],
  );
  assert.deepEqual(members("nobody"), [], "who is named by no id is no machine");
});

test("a damaged assignment and a damaged header keep the revision by which they can be written over", () => {
  const entries = [entry(keys.assign(A), "{"), entry(keys.set(M1), "{")];
  const { snapshot } = snapshotFromEntries(keys, entries, 500);
  assert.deepEqual(snapshot.damagedAssignments, [{ unit: A, modRevision: entries[0]!.modRevision }]);
  const [set] = snapshot.sets;
  assert.deepEqual([set?.header, set?.headerModRevision], [null, entries[1]!.modRevision]);
});

test("one record of a newer fleet is enough to say so, whatever else there is", () => {
  for (const newer of WHOLE.slice(0, -3).filter(({ key }) => key !== keys.presence(M1))) {
    const entries = WHOLE.map((one) => (one === newer ? { ...one, value: '{"v":3}' } : one));
    const { newerVersion, quarantined } = snapshotFromEntries(keys, entries, 500);
    assert.deepEqual([newerVersion, quarantined], [3, []], newer.key);
  }
});

test("a machine's presence counts whatever its record says: it is the lease that speaks", () => {
  const { snapshot } = snapshotFromEntries(keys, [entry(keys.member(M1), member), entry(keys.presence(M1), "{")], 1);
  assert.equal(snapshot.members[0]?.present, true);
});

for (const key of [
  `${keys.cluster}/x`,
  `${keys.release}/x`,
  `${keys.root}assign`,
  `${keys.assign(A)}/x`,
  `${keys.root}assign/not a unit`,
  `${keys.root}placements`,
  `${keys.root}placements/short`,
  `${keys.placement(M1, A)}/x`,
  `${keys.root}placements/${M1}/not a unit`,
  `${keys.member(M1)}/x`,
  `${keys.presence(M1)}/x`,
  `${keys.root}presence/M1`,
  `${keys.root}status/${M1}`,
  `${keys.status(M1, A)}/x`,
]) {
  test(`${key} is no key of fleet's, and is not taken for one`, () => {
    const record = {
      ...identity,
      ...release,
      ...member,
      ...header,
      ...status,
      ...placed,
      machine: M1,
      reason: "",
      op: "",
    };
    const { snapshot, quarantined } = snapshotFromEntries(keys, [entry(key, record)], 1);
    assert.deepEqual(
      quarantined.map((one) => one.key),
      [key],
    );
    const { identity: cluster, release: force, members, assignments, sets, statuses } = snapshot;
    assert.deepEqual([cluster, force, members, assignments, sets, statuses], [null, null, [], [], [], []]);
  });
}
