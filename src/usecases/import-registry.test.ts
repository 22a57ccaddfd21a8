import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeHold } from "../codec/hold-record.ts";
import { encodeRecord } from "../codec/record.ts";
import type { RegistryExport } from "../codec/registry-export.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { type OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Txn } from "../ports/registry.ts";
import { exportRegistry } from "./export-registry.ts";
import { importRegistry } from "./import-registry.ts";

const keys = registryKeys("prod");
const identity = { id: "a", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 3 };
const texts = { contentId: "", planId: "", parent: null, by: "", at: "", op: "o" };
const release = encodeRecord({ seq: 2, commit: "c2", specHash: "h", ...texts });

function world() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  let ids = 0;
  const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  const read = async (key: string) => (await registry.list(key, { exact: true })).entries[0] ?? null;
  const content = (more: RegistryExport["entries"] = []): RegistryExport => ({
    ...{ cluster: "prod", clusterId: "a", epoch: 3, term: 5, seq: 2, revision: 9, at: "" },
    entries: [{ key: "cluster", value: encodeRecord(identity) }, { key: "release", value: release }, ...more],
  });
  const bring = (what: RegistryExport, to = registry) =>
    importRegistry({ registry: to, keys, content: what, clock, newId: () => `id${++ids}` });
  return { clock, store, registry, put, read, content, bring };
}

test("what is imported is what is exported, but for its epoch; thousands of records too", async () => {
  const { registry, clock, content, bring } = world();
  const value = encodeRecord({ units: [], text: "x".repeat(3_000) });
  const many = Array.from({ length: 3_000 }, (_, index) => ({
    key: `specs/h/${String(index).padStart(8, "0")}`,
    value,
  }));
  assert.equal((await bring(content(many))).epoch, 4);
  const again = await exportRegistry(registry, keys, clock);
  assert.deepEqual([again.epoch, again.term, again.seq], [4, 5, 2]);
  assert.deepEqual(again.entries.slice(1), content(many).entries.slice(1));
});

test("the epoch is above any that a machine has seen, and the term above any here", async () => {
  const { put, read, content, bring } = world();
  const member = {
    name: "m1",
    address: "",
    metadata: {},
    bootId: "",
    version: "",
    joined: "",
    acceptedSeq: 9,
    setEpoch: 8,
  };
  await put(keys.member("1".repeat(32) as never), encodeRecord(member));
  await put(keys.term, encodeRecord({ term: 7 }));
  const older = { key: `members/${"1".repeat(32)}`, value: encodeRecord({ ...member, acceptedSeq: 1 }) };
  assert.equal((await bring(content([older]))).epoch, 9);
  assert.equal((await read(keys.term))?.value, encodeRecord({ term: 7 }));
  const there = (await read(keys.member("1".repeat(32) as never)))?.value;
  assert.equal(there, encodeRecord(member), "what a machine says of itself is newer than the backup");
});

test("a hold comes with what is left of its time, and not at all where that is over", async () => {
  const { clock, store, read, content, bring } = world();
  const stop = new AbortController();
  void expireLeases(store, clock, stop.signal);
  const at = new Date(clock.wallMs() - 50_000).toISOString();
  const hold = (forMs: number) => encodeHold({ scope: { kind: "cluster" }, reason: "", by: "me", at, forMs }, "o");
  await bring(content([{ key: "holds/cluster", value: hold(60_000) }]));
  assert.notEqual((await read(`${keys.holds}cluster`))?.lease ?? null, null);
  await clock.advance(15_000);
  assert.equal(await read(`${keys.holds}cluster`), null);
  stop.abort();

  const later = world();
  await later.bring(later.content([{ key: "holds/cluster", value: hold(50_500) }]));
  assert.equal(await later.read(`${keys.holds}cluster`), null);
});

for (const applied of [true, false]) {
  test(`a lost reply of the last write is settled by looking: it was ${applied ? "" : "not "}applied`, async () => {
    const { registry, content, bring, read } = world();
    let lost = false;
    const deaf = new Proxy(registry, {
      get(target, name) {
        if (name !== "txn") return Reflect.get(target, name, target).bind(target);
        return async (txn: Txn) => {
          const isLast = txn.then.some((operation) => operation.kind === "put" && operation.key === keys.cluster);
          if (!isLast || lost) return target.txn(txn);
          lost = true;
          if (applied) await target.txn(txn);
          throw new UnknownResultError("registry-timeout", "no answer");
        };
      },
    });
    const { epoch } = await bring(content(), deaf);
    assert.equal((await read(keys.cluster))?.value, encodeRecord({ ...identity, epoch }));
    assert.equal(await read(keys.importing), null);
  });
}

test("of two at once one is told that it was overtaken, and the other's is whole", async () => {
  const { registry, content, bring, read } = world();
  let begun = 0;
  const other = {
    ...content(),
    entries: content().entries.map(({ key, value }) => ({ key, value: value.replace("c2", "c3") })),
  };
  const slow = new Proxy(registry, {
    get(target, name) {
      if (name !== "txn") return Reflect.get(target, name, target).bind(target);
      return async (txn: Txn) => {
        // Between the first one's mark and its next write the second one does all of its work.
        if (++begun === 2) await bring(other);
        return target.txn(txn);
      };
    },
  });
  await assert.rejects(bring(content(), slow), (error: OperationError) => error.code === "import-overtaken");
  assert.equal((await read(keys.release))?.value, release.replace("c2", "c3"));
});

test("an export that does not hold the cluster it names is refused", async () => {
  const { content, bring } = world();
  await assert.rejects(bring({ ...content(), epoch: 4 }), (error: OperationError) => error.code === "export-damaged");
});
