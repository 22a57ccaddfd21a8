import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../../src/codec/record.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { ClusterSnapshot, PlacedUnit } from "../../src/domain/cluster/cluster-snapshot.ts";
import { digestOfSet } from "../../src/domain/cluster/digest-of-set.ts";
import { type AcceptedSet, judgeSet } from "../../src/domain/cluster/judge-set.ts";
import { compareText, type MachineId, type UnitHash, type UnitName } from "../../src/domain/names.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { planSetWrites, type SetWrite } from "../../src/domain/placement/plan-set-writes.ts";
import type { Operation, Registry, Txn } from "../../src/ports/registry.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { writeSets } from "../../src/usecases/write-sets.ts";
import { sha256 } from "../compile-repository.ts";
import * as fc from "./fast-check.ts";
import { machineId } from "./generators/cluster.ts";

const RUNS = { numRuns: 150 };
const EPOCH = 2;
const OPERATIONS_MAX = 128;
const keys = registryKeys("prod");

interface World {
  /** Machines from 0. */
  readonly machines: number;
  readonly present: readonly boolean[];
  readonly units: readonly UnitCase[];
  /** Of each machine. */
  readonly headers: readonly HeaderDamage[];
}

interface UnitCase {
  readonly name: string;
  readonly global: boolean;
  /** Was a single unit with an assignment, whatever it is now. */
  readonly assigned: { readonly machine: number; readonly hash: string } | null;
  readonly assignDamage: "none" | "garbage" | "deleted";
  /** Where a projection stands; for a single unit mostly where it is assigned. */
  readonly projected: readonly { readonly machine: number; readonly hash: string }[];
  readonly wanted: readonly { readonly machine: number; readonly hash: string }[];
}

type HeaderDamage = "sound" | "sound" | "missing" | "garbage" | "other-epoch" | "wrong-digest" | "wrong-count";

const hashes = fc.constantFrom("old", "new");

/** Enough units on few machines for sets of several transactions, every kind of damage somewhere among them. */
const worlds: fc.Arbitrary<World> = fc.integer({ min: 1, max: 4 }).chain((machines) => {
  const place = fc.record({ machine: fc.nat({ max: machines - 1 }), hash: hashes });
  const distinct = fc.uniqueArray(place, { selector: (one) => one.machine, maxLength: machines });
  const unit = fc
    .record({
      global: fc.constantFrom(false, false, false, true),
      assigned: fc.option(place, { nil: null, freq: 4 }),
      assignDamage: fc.constantFrom<UnitCase["assignDamage"]>("none", "none", "none", "none", "garbage", "deleted"),
      projection: fc.constantFrom("as-assigned", "as-assigned", "as-assigned", "lost", "anywhere"),
      anywhere: distinct,
      wish: fc.constantFrom("stay", "stay", "gone", "elsewhere"),
      elsewhere: distinct,
    })
    .map(({ global, assigned, assignDamage, projection, anywhere, wish, elsewhere }) => {
      const own = assigned === null ? [] : [assigned];
      const moved = global ? elsewhere : elsewhere.slice(0, 1);
      return {
        global,
        assigned: global && projection !== "anywhere" ? null : assigned,
        assignDamage,
        projected: projection === "as-assigned" ? own : projection === "lost" ? [] : anywhere,
        wanted: wish === "stay" ? own : wish === "gone" ? [] : moved,
      };
    });
  return fc.record({
    machines: fc.constant(machines),
    present: fc.array(fc.boolean(), { minLength: machines, maxLength: machines }),
    headers: fc.array(
      fc.constantFrom<HeaderDamage>(
        "sound",
        "sound",
        "sound",
        "missing",
        "garbage",
        "other-epoch",
        "wrong-digest",
        "wrong-count",
      ),
      { minLength: machines, maxLength: machines },
    ),
    units: fc
      .oneof(
        fc.array(unit, { maxLength: 12 }),
        fc.array(unit, { minLength: 40, maxLength: 45 }),
        fc.array(unit, { minLength: 120, maxLength: 140 }),
      )
      .map((units) =>
        units.map((one, index) => ({ ...one, name: `u${String(index).padStart(3, "0")}.service` }) as UnitCase),
      ),
  });
});

function wantedOf(world: World): Placement[] {
  return world.units
    .flatMap((unit) =>
      unit.wanted.map(
        ({ machine, hash }): Placement => ({
          unit: unit.name as UnitName,
          machine: machineId(machine),
          hash: hash as UnitHash,
          goal: "launched",
          reason: { code: "planned" },
        }),
      ),
    )
    .sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
}

const globalsOf = (world: World) =>
  new Set(world.units.filter((unit) => unit.global).map((unit) => unit.name as UnitName));

/** A registry in that state, its leader and its release written. */
async function registryOf(world: World) {
  const registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  const put = (key: string, record: object | string) =>
    registry.txn({
      when: [],
      then: [{ kind: "put", key, value: typeof record === "string" ? record : encodeRecord(record) }],
    });
  const identity = { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: EPOCH };
  await put(keys.cluster, identity);
  for (let machine = 0; machine < world.machines; machine++) {
    const member = { name: `m${machine}`, address: "", metadata: {}, bootId: "b", version: "1", joined: "" };
    await put(keys.member(machineId(machine)), { ...member, acceptedSeq: 0 });
    if (world.present[machine]) await put(keys.presence(machineId(machine)), { bootId: "b", op: "o" });
  }
  for (const unit of world.units) {
    const name = unit.name as UnitName;
    if (unit.assigned !== null && unit.assignDamage !== "deleted") {
      const { machine, hash } = unit.assigned;
      const record = { machine: machineId(machine), hash, goal: "launched", reason: "planned" };
      await put(keys.assign(name), unit.assignDamage === "garbage" ? "{" : record);
    }
    for (const { machine, hash } of unit.projected) {
      await put(keys.placement(machineId(machine), name), { hash, goal: "launched" });
    }
  }
  for (let machine = 0; machine < world.machines; machine++) {
    const placed = setOf(world, machine);
    const damage = world.headers[machine]!;
    const header = {
      epoch: damage === "other-epoch" ? EPOCH - 1 : EPOCH,
      generation: 1,
      count: placed.length + (damage === "wrong-count" ? 1 : 0),
      digest: damage === "wrong-digest" ? "0" : digestOfSet(placed, sha256),
    };
    if (damage !== "missing")
      await put(keys.set(machineId(machine)), damage === "garbage" ? "{" : { ...header, op: "" });
  }
  const leader = await put(keys.leader, { machine: "m0", term: 1, op: "" });
  const release = await put(keys.release, "a release");
  const led = { key: keys.leader, target: "create", is: "=", value: leader.revision } as const;
  const fence = { leader: led, releaseModRevision: release.revision };
  return { registry, fence };
}

/** A registry that shows every transaction, and what the snapshot is after each. */
function watched(inner: Registry, after: (txn: Txn, snapshot: ClusterSnapshot) => void): Registry {
  return {
    ...inner,
    list: (...call) => inner.list(...call),
    txn: async (txn) => {
      const result = await inner.txn(txn);
      if (txn.then.some((operation) => operation.kind !== "list"))
        after(txn, (await readSnapshot(inner, keys)).snapshot);
      return result;
    },
  } as Registry;
}

const write = (registry: Registry, fence: Parameters<typeof writeSets>[2], writes: readonly SetWrite[]) =>
  writeSets(registry, keys, fence, writes, () => "op", "2026-01-01T00:00:00.000Z");

/** Machines that are away and whose set is damaged: left as they are until they return. */
function unknownIn({ members, sets }: ClusterSnapshot): ReadonlySet<MachineId> {
  const isWhole = (machine: MachineId) => {
    const set = sets.find((one) => one.machine === machine);
    return set?.header?.epoch === EPOCH && set.header.digest === digestOfSet(set.placements, sha256);
  };
  return new Set(members.filter(({ id, present }) => !present && !isWhole(id)).map(({ id }) => id));
}

test("whatever the registry held and whatever of it was damaged, it then holds exactly what is wanted, and is not written again", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const { registry, fence } = await registryOf(world);
      const wanted = wantedOf(world);
      const globals = globalsOf(world);
      const { snapshot } = await readSnapshot(registry, keys);
      const writes = planSetWrites(wanted, globals, snapshot, sha256);
      assert.deepEqual((await write(registry, fence, writes)).complete, true);

      const { snapshot: after, quarantined } = await readSnapshot(registry, keys);
      const unknown = unknownIn(snapshot);
      const isKnown = ({ machine }: { readonly machine: MachineId }) => !unknown.has(machine);
      const elsewhere = new Set(wanted.filter((one) => !isKnown(one)).map(({ unit }) => unit));
      const short = ({ unit, machine, hash }: Pick<Placement, "unit" | "machine" | "hash">) =>
        `${unit}@${machine}#${hash}`;
      assert.deepEqual(
        after.sets
          .filter(isKnown)
          .flatMap((set) => set.placements.map((placed) => ({ ...placed, machine: set.machine })))
          .filter(({ unit }) => !elsewhere.has(unit))
          .map(short)
          .sort(),
        wanted
          .filter(({ unit }) => !elsewhere.has(unit))
          .map(short)
          .sort(),
      );
      assert.deepEqual(
        after.assignments.filter(({ unit }) => !elsewhere.has(unit)).map(short),
        wanted.filter(({ unit }) => !globals.has(unit) && !elsewhere.has(unit)).map(short),
        "every single unit has one assignment, a global none",
      );
      const left = new Set([...[...unknown].map(keys.set), ...[...elsewhere].map(keys.assign), keys.release]);
      assert.deepEqual(
        quarantined.filter(({ key }) => !left.has(key)),
        [],
      );
      for (const set of after.sets.filter(isKnown)) {
        assert.equal(judgeSet(set, EPOCH, null, sha256).kind, "accept");
      }
      for (const machine of unknown) {
        const [was, is] = [snapshot, after].map(
          ({ sets }) => sets.find((set) => set.machine === machine)?.header ?? null,
        );
        assert.deepEqual(
          is,
          was,
          "no header tells a machine that is away what to stop while nobody knows what it runs",
        );
      }
      assert.deepEqual(planSetWrites(wanted, globals, after, sha256), []);
    }),
    RUNS,
  );
});

test("on the way no agent sees a set that leaves out what it runs and is to go on running; generations rise; no limit is passed", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const { registry, fence } = await registryOf(world);
      const wanted = wantedOf(world);
      const { snapshot } = await readSnapshot(registry, keys);
      const writes = planSetWrites(wanted, globalsOf(world), snapshot, sha256);
      const agents = agentsOf(world);
      const generations = new Map<MachineId, number>();
      const observed = watched(registry, (txn, now) => {
        assert.ok(txn.when.length <= OPERATIONS_MAX && txn.then.length <= OPERATIONS_MAX);
        for (const set of now.sets) {
          const header = set.header;
          if (header === null) continue;
          assert.ok(header.generation >= (generations.get(set.machine) ?? 1), "generations only rise");
          generations.set(set.machine, header.generation);
          const accepted = agents.get(set.machine) ?? null;
          const verdict = judgeSet(set, EPOCH, accepted, sha256);
          if (verdict.kind !== "accept") continue;
          const holds = new Set(verdict.set.placements.map((placed) => placed.unit));
          for (const { unit, machine } of wanted) {
            if (machine !== set.machine || !accepted?.placements.some((placed) => placed.unit === unit)) continue;
            assert.ok(holds.has(unit), `${unit} is left out of a set in between`);
          }
          agents.set(set.machine, verdict.set);
        }
      });
      await write(observed, fence, writes);
      const unknown = unknownIn(snapshot);
      for (const { unit, machine } of wanted.filter((one) => !unknown.has(one.machine))) {
        const placed = agents.get(machine)?.placements ?? [];
        assert.ok(
          placed.some((one) => one.unit === unit),
          "in the end every agent has taken what is wanted",
        );
      }
    }),
    RUNS,
  );
});

/** The set of a machine before anything of it was damaged. */
function setOf(world: World, machine: number): PlacedUnit[] {
  return world.units.flatMap(({ name, assigned, projected }) => {
    const place = projected.find((one) => one.machine === machine) ?? (assigned?.machine === machine ? assigned : null);
    return place === null ? [] : [{ unit: name as UnitName, hash: place.hash as UnitHash, goal: "launched" }];
  });
}

/** What each agent took before anything was damaged. */
function agentsOf(world: World): Map<MachineId, AcceptedSet> {
  return new Map(
    Array.from({ length: world.machines }, (_, machine) => [
      machineId(machine),
      { epoch: EPOCH, generation: 1, placements: setOf(world, machine) },
    ]),
  );
}

/** 120 units on two machines, more than one transaction each, all of them moving or new. */
async function crowded() {
  const units = Array.from(
    { length: 120 },
    (_, index): UnitCase => ({
      name: `u${String(index).padStart(3, "0")}.service`,
      global: index % 10 === 9,
      assigned: index % 3 === 0 && index % 10 !== 9 ? { machine: 0, hash: "old" } : null,
      assignDamage: "none",
      projected: index % 3 === 0 && index % 10 !== 9 ? [{ machine: 0, hash: "old" }] : [],
      wanted: [{ machine: index % 2, hash: "new" }],
    }),
  );
  const world: World = { machines: 2, present: [true, true], units, headers: ["sound", "sound"] };
  const { registry, fence } = await registryOf(world);
  const { snapshot } = await readSnapshot(registry, keys);
  const writes = planSetWrites(wantedOf(world), globalsOf(world), snapshot, sha256);
  return { world, registry, fence, writes };
}

const contents = async (registry: Registry) => (await registry.list("")).entries;

test("several transactions that touch one machine follow one another", async () => {
  const { registry, fence, writes } = await crowded();
  assert.ok(writes.length >= 3);
  const { complete, revision } = await write(registry, fence, writes);
  assert.equal(complete, true);
  assert.equal(revision, (await readSnapshot(registry, keys)).snapshot.revision);
});

const put = (key: string): Operation => ({ kind: "put", key, value: encodeRecord({ somebody: "else" }) });
const FENCES: readonly [string, (write: SetWrite) => readonly (readonly Operation[])[]][] = [
  ["another engine has taken the leader key", () => [[{ kind: "delete", key: keys.leader }], [put(keys.leader)]]],
  ["the leader key is gone", () => [[{ kind: "delete", key: keys.leader }]]],
  ["another release is in force", () => [[put(keys.release)]]],
  ["a machine it touches has gone", ({ machines }) => [[{ kind: "delete", key: keys.presence(machines[0]!.machine) }]]],
  [
    "a machine it touches has come again as another incarnation",
    ({ machines }) => {
      const key = keys.presence(machines[0]!.machine);
      return [[{ kind: "delete", key }], [put(key)]];
    },
  ],
  ["somebody wrote a header it replaces", ({ machines }) => [[put(keys.set(machines[0]!.machine))]]],
  [
    "a unit it places has been assigned by somebody else",
    ({ changes }) => [[put(keys.assign(changes.find((change) => change.assignModRevision !== null)!.unit))]],
  ],
];

for (const [sentence, happens] of FENCES) {
  test(`nothing of a transaction is written where ${sentence}`, async () => {
    const { writes } = await crowded();
    for (let at = 0; at < writes.length; at++) {
      const { registry, fence } = await crowded();
      let transactions = 0;
      let before: Awaited<ReturnType<typeof contents>> = [];
      const interrupted = {
        txn: async (txn: Txn) => {
          if (transactions++ === at) {
            for (const then of happens(writes[at]!)) await registry.txn({ when: [], then });
            before = await contents(registry);
          }
          return registry.txn(txn);
        },
      } as Registry;
      assert.equal((await write(interrupted, fence, writes)).complete, false);
      assert.equal(transactions, at + 1, "it does not go on after a refusal");
      assert.deepEqual(await contents(registry), before);
    }
  });
}

for (const applied of [false, true]) {
  test(`a reply lost ${applied ? "after" : "before"} a transaction was applied ends the writing; a new look finishes it`, async () => {
    const { writes } = await crowded();
    for (let at = 0; at < writes.length; at++) {
      const { world, registry, fence } = await crowded();
      let transactions = 0;
      const lossy = {
        txn: async (txn: Txn) => {
          if (transactions++ !== at) return registry.txn(txn);
          if (applied) await registry.txn(txn);
          throw new Error("the reply was lost");
        },
      } as Registry;
      await assert.rejects(write(lossy, fence, writes));
      const { snapshot } = await readSnapshot(registry, keys);
      const rest = planSetWrites(wantedOf(world), globalsOf(world), snapshot, sha256);
      assert.equal((await write(registry, fence, rest)).complete, true);
      const { snapshot: after } = await readSnapshot(registry, keys);
      assert.deepEqual(planSetWrites(wantedOf(world), globalsOf(world), after, sha256), []);
    }
  });
}

test("a batch fills a transaction to exactly 128 operations and not beyond", async () => {
  const units = Array.from({ length: 84 }, (_, index) => ({
    name: `u${String(index).padStart(3, "0")}.service`,
    global: false,
    assigned: { machine: 0, hash: "old" },
    assignDamage: "none" as const,
    projected: [{ machine: 0, hash: "old" }],
    wanted: [{ machine: 1, hash: "old" }],
  }));
  const world: World = { machines: 2, present: [true, true], units, headers: ["sound", "sound"] };
  const { registry, fence } = await registryOf(world);
  const { snapshot } = await readSnapshot(registry, keys);
  const sizes: number[] = [];
  const observed = watched(registry, (txn) => sizes.push(txn.then.length));
  await write(observed, fence, planSetWrites(wantedOf(world), new Set(), snapshot, sha256));
  assert.deepEqual(sizes, [128, 128]);
});
