import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeKept } from "../codec/kept-record.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { CommitId, MachineId, SpecHash } from "../domain/names.ts";
import { type OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Txn } from "../ports/registry.ts";
import { adoptionOf, adoptRegistry, hearMachines, readRemains } from "./adopt-registry.ts";

const keys = registryKeys("prod");
const identity = { id: "a", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
const texts = { contentId: "", planId: "", parent: null, by: "", at: "" };
const release = { seq: 5, commit: "c5" as CommitId, specHash: "h" as SpecHash, ...texts };
const machine = (index: number) => String(index).repeat(32) as MachineId;

/** A wiped registry whose machines are there; `told` of them have told what they keep. */
async function world(machines: number, told: number) {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  const read = async (key: string) => (await registry.list(key, { exact: true })).entries[0]?.value ?? null;
  const tell = (index: number, cluster = identity) => {
    const set = { epoch: 1, generation: 3, placements: [] };
    return put(keys.kept(machine(index)), encodeKept({ machine: machine(index), identity: cluster, release, ...set }));
  };
  for (let index = 1; index <= machines; index++) {
    const facts = { address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 5, setEpoch: 1 };
    await put(keys.member(machine(index)), encodeRecord({ name: `m${index}`, ...facts }));
    await put(keys.presence(machine(index)), encodeRecord({ bootId: "", op: "" }));
  }
  for (let index = 1; index <= told; index++) await tell(index);
  return { clock, registry, put, read, tell };
}

describe("hearing machines", () => {
  test("ends as soon as all have told", async () => {
    const { clock, registry, tell } = await world(2, 1);
    const heard = hearMachines(registry, keys, clock, 5_000);
    await clock.advance(1_000);
    await tell(2);
    await clock.advance(300);
    assert.deepEqual((await heard).silent, []);
    assert.ok(clock.monotonicMs() < 2_000);
  });

  test("names who has not told when the time is over", async () => {
    const { clock, registry } = await world(2, 1);
    const heard = hearMachines(registry, keys, clock, 5_000);
    await clock.advance(5_500);
    assert.deepEqual(
      (await heard).silent.map(({ name }) => name),
      ["m2"],
    );
  });

  test("ends once it is quiet where the registry has its cluster: who goes by it has nothing to tell", async () => {
    const { clock, registry, put, tell } = await world(3, 0);
    await put(keys.cluster, encodeRecord(identity));
    const heard = hearMachines(registry, keys, clock, 60_000);
    await clock.advance(2_500);
    await tell(1);
    await clock.advance(2_500);
    await tell(2);
    await clock.advance(3_500);
    const { remains, silent } = await heard;
    assert.deepEqual([remains.snapshot.kept?.length, silent], [2, []]);
    assert.ok(clock.monotonicMs() < 10_000);
  });

  test("goes on while nobody has told of the release an engine remembers", async () => {
    const { clock, registry, put } = await world(1, 1);
    await put(keys.cluster, encodeRecord(identity));
    const known = { clusterId: "a", epoch: 1, term: 1, seq: 9, commit: null };
    await put(keys.report, encodeRecord({ leader: "m1", releaseSeq: 5, problem: null, unplaced: [], known }));
    let isHeard = false;
    const heard = hearMachines(registry, keys, clock, 20_000).then(() => {
      isHeard = true;
    });
    await clock.advance(15_000);
    assert.equal(isHeard, false);
    await clock.advance(6_000);
    await heard;
  });
});

describe("adopting", () => {
  for (const applied of [true, false]) {
    test(`settles a lost reply by looking: it was ${applied ? "" : "not "}applied`, async () => {
      const { registry, read } = await world(1, 1);
      const remains = await readRemains(registry, keys);
      const deaf = new Proxy(registry, {
        get(target, name) {
          if (name !== "txn") return Reflect.get(target, name, target).bind(target);
          return async (txn: Txn) => {
            if (applied) await target.txn(txn);
            throw new UnknownResultError("registry-timeout", "no answer");
          };
        },
      });
      const done = adoptRegistry(deaf, keys, remains, adoptionOf(remains), () => "o");
      if (applied) assert.equal(await done, true);
      else await assert.rejects(done, UnknownResultError);
      assert.equal(await read(keys.cluster), applied ? encodeRecord({ ...identity, epoch: 2 }) : null);
    });
  }

  test("puts the release and its place in the history back", async () => {
    const { registry, read } = await world(1, 1);
    const remains = await readRemains(registry, keys);
    assert.equal(await adoptRegistry(registry, keys, remains, adoptionOf(remains), () => "o"), true);
    const record = encodeRecord({ ...release, op: "o" });
    assert.deepEqual([await read(keys.release), await read(keys.releaseAt(5))], [record, record]);
  });

  test("is refused while an import is under way, with nothing to adopt, and with machines of two clusters", async () => {
    const code = (expected: string) => (error: OperationError) => error.code === expected;
    const importing = await world(1, 1);
    await importing.put(keys.importing, encodeRecord({ op: "o" }));
    await assert.rejects(readRemains(importing.registry, keys), code("import-under-way"));
    const nobody = await readRemains((await world(1, 0)).registry, keys);
    assert.throws(() => adoptionOf(nobody), code("nothing-to-adopt"));
    const two = await world(2, 1);
    await two.tell(2, { ...identity, id: "b" });
    const remains = await readRemains(two.registry, keys);
    assert.throws(() => adoptionOf(remains), code("several-clusters"));
  });
});
