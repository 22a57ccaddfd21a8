import assert from "node:assert/strict";
import { test } from "node:test";
import type { Assignment, ClusterSnapshot, MachineSet, PlacedUnit, Release } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { Placement } from "./placement.ts";
import { planSetWrites, type SetWrite } from "./plan-set-writes.ts";

const sha256 = (text: string) => text;
const NOON = "2026-01-01T12:00:00.000Z";
const OPERATIONS_MAX = 128;

/** `unit@machine`, or `unit@machine#hash`. */
function placement(text: string): Placement {
  const [, unit, machine, hash = "h1"] = /^([^@]+)@([^#]+)(?:#(.+))?$/.exec(text)!;
  return {
    unit: unit as UnitName,
    machine: machine as MachineId,
    hash: hash as UnitHash,
    goal: "launched",
    reason: { code: "planned" },
  };
}

/** A registry in which exactly these placements are written, headers and assignments included. */
function registryWith(
  texts: readonly string[],
  machines: readonly string[],
  globals = new Set<string>(),
): ClusterSnapshot {
  const placements = texts.map(placement);
  const sets = machines.map((machine): MachineSet => {
    const placed = placements
      .filter((one) => one.machine === machine)
      .map(({ unit, hash, goal }): PlacedUnit => ({ unit, hash, goal }));
    const header = { epoch: 1, generation: 3, count: placed.length, digest: digestOfSet(placed, sha256) };
    return { machine: machine as MachineId, header, headerModRevision: 7, placements: placed };
  });
  const assignments = placements
    .filter((one) => !globals.has(one.unit))
    .map((one): Assignment => ({ ...one, reason: one.reason.code, modRevision: 5 }));
  const identity = { id: "c", name: "c", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
  return { ...emptySnapshot, revision: 50, identity, sets, assignments };
}

/** What the sets hold after the writes, each write's headers checked against what it leaves behind. */
function after(snapshot: ClusterSnapshot, writes: readonly SetWrite[]): string[] {
  const sets = new Map(
    snapshot.sets.map((set) => [set.machine, new Map(set.placements.map((placed) => [placed.unit, placed]))]),
  );
  for (const { machines, changes } of writes) {
    for (const { unit, from, to } of changes) {
      if (from !== null) sets.get(from)?.delete(unit);
      if (to === null) continue;
      if (!sets.has(to.machine)) sets.set(to.machine, new Map());
      sets.get(to.machine)!.set(unit, { unit, hash: to.hash, goal: to.goal });
    }
    for (const { machine, header } of machines) {
      const placed = [...(sets.get(machine)?.values() ?? [])];
      assert.equal(header?.count, placed.length, `the header of ${machine} counts its set`);
      assert.equal(header?.digest, digestOfSet(placed, sha256), `the header of ${machine} describes its set`);
    }
  }
  return [...sets]
    .flatMap(([machine, units]) => [...units.values()].map((one) => `${one.unit}@${machine}#${one.hash}`))
    .sort();
}

const plan = (wanted: readonly string[], snapshot: ClusterSnapshot, globals: readonly string[] = []) =>
  planSetWrites(wanted.map(placement), new Set(globals as UnitName[]), snapshot, sha256);

test("a registry that holds what is wanted is not written", () => {
  assert.deepEqual(plan(["a@m1", "b@m2"], registryWith(["a@m1", "b@m2"], ["m1", "m2"])), []);
});

test("a unit that gets another version keeps the reason for which it came to its machine and since when it is there, and one that moves does not", () => {
  const { assignments, ...rest } = registryWith(["a@m1#old", "b@m1"], ["m1", "m2"]);
  const before = { ...rest, assignments: assignments.map((one) => ({ ...one, reason: "least-loaded", at: NOON })) };
  const wanted = ["a@m1#new", "b@m2", "c@m2"].map((text) => ({
    ...placement(text),
    reason: { code: "stayed" } as const,
  }));
  const changes = planSetWrites(wanted, new Set(), before, sha256).flatMap((write) => write.changes);
  assert.deepEqual(changes.map(({ unit, to }) => [unit, to?.reason, to?.since]).sort(), [
    ["a", "least-loaded", NOON],
    ["b", "stayed", null],
    ["c", "stayed", null],
  ]);
});

const CASES: readonly [string, readonly string[], readonly string[]][] = [
  ["new units are added", [], ["a@m1", "b@m2"]],
  ["a unit that is no longer wanted goes", ["a@m1", "b@m1"], ["b@m1"]],
  ["a unit moves", ["a@m1"], ["a@m2"]],
  ["a unit gets another hash", ["a@m1#old"], ["a@m1#new"]],
  ["two units change places", ["a@m1", "b@m2"], ["a@m2", "b@m1"]],
  ["everything goes", ["a@m1", "b@m2"], []],
];
for (const [sentence, before, wanted] of CASES) {
  test(`${sentence}, and each machine's header describes its set after every transaction`, () => {
    const snapshot = registryWith(before, ["m1", "m2"]);
    const writes = plan(wanted, snapshot);
    assert.ok(writes.length > 0);
    assert.deepEqual(
      after(snapshot, writes),
      wanted.map((text) => (text.includes("#") ? text : `${text}#h1`)).toSorted(),
    );
  });
}

test("a header somebody deleted is written again although no unit changes, with a generation no agent has seen", () => {
  const whole = registryWith(["a@m1"], ["m1"]);
  const snapshot = { ...whole, sets: whole.sets.map((set) => ({ ...set, header: null, headerModRevision: 0 })) };
  const writes = plan(["a@m1"], snapshot);
  assert.deepEqual(
    writes.map(({ changes }) => changes),
    [[]],
  );
  assert.equal(writes[0]?.machines[0]?.header?.generation, snapshot.revision);
});

test("a placement key somebody deleted is written again", () => {
  const whole = registryWith(["a@m1", "b@m1"], ["m1"]);
  const snapshot = { ...whole, sets: whole.sets.map((set) => ({ ...set, placements: set.placements.slice(1) })) };
  assert.deepEqual(after(snapshot, plan(["a@m1", "b@m1"], snapshot)), ["a@m1#h1", "b@m1#h1"]);
});

test("a global unit has a placement on each machine and no assignment that could name only one", () => {
  const snapshot = registryWith([], ["m1", "m2"]);
  const writes = plan(["g@m1", "g@m2"], snapshot, ["g"]);
  assert.deepEqual(after(snapshot, writes), ["g@m1#h1", "g@m2#h1"]);
  assert.ok(
    writes.every(({ changes }) => changes.every((change) => change.assignModRevision === null && change.from === null)),
  );
});

test("what goes is written before what comes", () => {
  const writes = plan(["c@m1"], registryWith(["a@m1", "b@m2"], ["m1", "m2"]));
  const order = writes.flatMap(({ changes }) => changes.map(({ to }) => (to === null ? "goes" : "comes")));
  assert.deepEqual(order, ["goes", "goes", "comes"]);
});

test("3,000 units on 100 machines go in transactions that stay below etcd's 128 operations and 128 compares", () => {
  const wanted = Array.from({ length: 3000 }, (_, index) => `u${index}@m${index % 100}`);
  const snapshot = registryWith(
    [],
    Array.from({ length: 100 }, (_, index) => `m${index}`),
  );
  const writes = plan(wanted, snapshot);
  for (const { machines, changes } of writes) {
    const operations = machines.length + changes.reduce((sum, { from }) => sum + (from === null ? 2 : 3), 0);
    assert.ok(operations <= OPERATIONS_MAX, `${operations} operations`);
    assert.ok(2 + 2 * machines.length + changes.length <= OPERATIONS_MAX);
  }
  assert.equal(after(snapshot, writes).length, 3000);
  assert.ok(writes.length <= 75, `${writes.length} transactions: units of one machine share one`);
});

const MEMBER = {
  id: "m1" as MachineId,
  name: "",
  address: "",
  metadata: {},
  bootId: "",
  version: "",
  joined: "",
  acceptedSeq: 1,
};

test("a machine that was removed gets no set again by what moves away from it", () => {
  const removed = { ...registryWith(["a@m1"], ["m1"]), sets: [] };
  const [moved] = plan(["a@m2"], removed);
  assert.deepEqual(
    moved?.machines.map(({ machine, header }) => [machine, header === null]),
    [
      ["m1", true],
      ["m2", false],
    ],
  );
});

test("a wiped set is announced whole from the first transaction on: half of it restored is no order to stop the other half", () => {
  const wanted = Array.from({ length: 100 }, (_, index) => `u${index}@m1`);
  const whole = registryWith(wanted, ["m1"]);
  const snapshot = { ...whole, members: [{ ...MEMBER, present: true, presenceRevision: 4 }], sets: [] };
  const writes = plan(wanted, snapshot);
  assert.ok(writes.length > 1);
  assert.deepEqual(
    writes.map(({ machines }) => machines[0]?.header?.count),
    writes.map(() => 100),
  );
});

test("a wiped set of a machine that is away stays unknown, so that its agent stops nothing when it returns", () => {
  const away = { ...MEMBER, present: false, presenceRevision: 0 };
  const whole = registryWith(["a@m1", "g@m1"], ["m1"], new Set(["g"]));
  const wiped = { ...whole, members: [away], sets: [] };
  assert.deepEqual(plan(["a@m1"], wiped, ["g"]), [], "what stays there is not written");
  const moved = plan(["a@m2"], wiped, ["g"]);
  assert.deepEqual(
    moved[0]?.machines.map(({ machine, presenceRevision, header }) => [machine, presenceRevision, header === null]),
    [
      ["m1", 0, true],
      ["m2", 0, false],
    ],
    "what moves away compares that the machine is still away, and describes only the set it joins",
  );
});

test("every machine that is there has a header, also one that is to have nothing and whose set was wiped", () => {
  const there = { ...MEMBER, present: true, presenceRevision: 4 };
  const snapshot = { ...registryWith(["a@m2"], ["m2"]), members: [there] };
  const [write, ...more] = plan(["a@m2"], snapshot);
  assert.deepEqual(
    write?.machines.map(({ machine, header }) => [machine, header?.count]),
    [["m1", 0]],
  );
  assert.deepEqual(more, []);
  const away = { ...snapshot, members: [{ ...MEMBER, present: false, presenceRevision: 0 }] };
  assert.deepEqual(plan(["a@m2"], away), [], "who is away gets it when it returns");
});

test("a wiped set is written again by what its machine tells of it, and not before it has", () => {
  const there = { ...MEMBER, present: true, presenceRevision: 4, setEpoch: 1 };
  const wiped = { ...registryWith(["a@m1", "g@m1"], ["m1"], new Set(["g"])), members: [there], sets: [] };
  assert.deepEqual(plan(["a@m1"], wiped, ["g"]), [], "an order without its global unit would stop that");
  const kept = (identityId: string, epoch: number) => ({
    machine: there.id,
    identity: { ...wiped.identity!, id: identityId },
    release: { seq: 1 } as Release,
    ...{ epoch, generation: 3, placements: [] },
  });
  assert.deepEqual(plan(["a@m1"], { ...wiped, kept: [kept("other", 1)] }, ["g"]), [], "of another cluster");
  const told = { ...wiped, kept: [kept("c", 1)] };
  assert.deepEqual(after(told, plan(["a@m1", "g@m1"], told, ["g"])), ["a@m1#h1", "g@m1#h1"]);
});

test("a wiped set of a machine that lost its record as well stays unknown while its lease lasts: an order without its global unit would stop that", () => {
  const cutOff = { ...MEMBER, present: true, presenceRevision: 4, unrecorded: true as const };
  const wiped = { ...registryWith(["a@m1", "g@m1"], ["m1"], new Set(["g"])), members: [cutOff], sets: [] };
  assert.deepEqual(plan(["a@m1"], wiped, ["g"]), []);
  const moved = plan(["a@m2"], wiped, ["g"]);
  assert.deepEqual(
    moved.flatMap(({ machines }) => machines.map(({ machine, header }) => [machine, header === null])),
    [
      ["m1", true],
      ["m2", false],
    ],
  );
  const sound = { ...registryWith(["a@m1", "g@m1"], ["m1"], new Set(["g"])), members: [cutOff] };
  assert.deepEqual(
    after(sound, plan(["a@m2", "g@m1"], sound, ["g"])),
    ["a@m2#h1", "g@m1#h1"],
    "one that is whole is written",
  );
});

test("a header whose count alone is wrong, which no agent takes, is written again", () => {
  const whole = registryWith(["a@m1"], ["m1"]);
  const sets = whole.sets.map((set) => ({ ...set, header: { ...set.header!, count: 2 } }));
  assert.equal(plan(["a@m1"], { ...whole, sets })[0]?.machines[0]?.header?.count, 1);
});

test("a unit that becomes global loses its assignment and stays where it is", () => {
  const snapshot = registryWith(["g@m1"], ["m1", "m2"]);
  const writes = plan(["g@m1", "g@m2"], snapshot, ["g"]);
  assert.deepEqual(after(snapshot, writes), ["g@m1#h1", "g@m2#h1"]);
  const revisions = writes.flatMap(({ changes }) =>
    changes.map(({ to, assignModRevision }) => [to, assignModRevision]),
  );
  assert.deepEqual(revisions[0], [null, 5]);
});

test("an assignment nobody can read is written over, or deleted where its unit is not wanted", () => {
  const damagedAssignments = ["a", "b"].map((unit) => ({ unit: unit as UnitName, modRevision: 9 }));
  const snapshot = { ...registryWith([], ["m1"]), damagedAssignments };
  const [write] = plan(["a@m1"], snapshot);
  assert.deepEqual(
    write?.changes.map(({ unit, assignModRevision, to }) => [unit, assignModRevision, to?.machine ?? null]),
    [
      ["b", 9, null],
      ["a", 9, "m1"],
    ],
  );
});
