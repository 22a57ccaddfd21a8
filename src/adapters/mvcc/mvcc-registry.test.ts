import assert from "node:assert/strict";
import { test } from "node:test";
import type { WatchMessage } from "../../ports/registry.ts";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { expireLeases } from "./expire-leases.ts";
import { MvccRegistry } from "./mvcc-registry.ts";
import { MvccStore } from "./mvcc-store.ts";

function cluster() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const end = new AbortController();
  void expireLeases(store, clock, end.signal);
  return { clock, store, end, registry: new MvccRegistry(store, clock), other: new MvccRegistry(store, clock) };
}

function put(key: string, value = "v", lease?: string) {
  return { when: [], then: [{ kind: "put" as const, key, value, ...(lease === undefined ? {} : { lease }) }] };
}

test("clients of one store see each other's writes, text of any language included", async () => {
  const { registry, other } = cluster();
  await registry.txn(put("/a/ü", "größer ✓"));
  await registry.txn(put("/ab"));
  const listing = await other.list("/a/");
  assert.equal(listing.revision, 3);
  assert.deepEqual(listing.entries, [
    { key: "/a/ü", value: "größer ✓", createRevision: 2, modRevision: 2, version: 1, lease: null },
  ]);
  assert.equal((await other.list("")).entries.length, 2);
  assert.equal((await other.list("/a", { exact: true })).entries.length, 0);
});

test("of two creations of one key one wins, and the other reads who", async () => {
  const { registry, other } = cluster();
  const create = (value: string) => ({
    when: [{ key: "/leader", target: "create" as const, is: "=" as const, value: 0 }],
    ...{ then: put("/leader", value).then, otherwise: [{ kind: "list" as const, prefix: "/leader", exact: true }] },
  });
  const [first, second] = await Promise.all([registry.txn(create("one")), other.txn(create("two"))]);
  assert.deepEqual([first.succeeded, second.succeeded], [true, false]);
  assert.equal(second.listings[0]![0]!.value, "one");
});

test("a watch delivers what came after its listing, in order, and ends with its signal", async () => {
  const { clock, registry, other } = cluster();
  await registry.txn(put("/a/1"));
  const { revision } = await registry.list("/a/");
  const stop = new AbortController();
  const seen: WatchMessage[] = [];
  let ended = false;
  void (async () => {
    for await (const message of registry.watch("/a/", revision, stop.signal)) seen.push(message);
    ended = true;
  })();
  await clock.advance(0);
  await other.txn(put("/b/1"));
  await other.txn({
    when: [],
    then: [
      { kind: "delete-prefix", prefix: "/a/" },
      { kind: "put", key: "/c", value: "" },
    ],
  });
  await clock.advance(0);
  assert.deepEqual(seen, [
    { kind: "changes", revision: 4, changes: [{ kind: "delete", key: "/a/1", modRevision: 4 }] },
  ]);
  stop.abort();
  await clock.advance(0);
  assert.equal(ended, true);
});

test("a watch from before the compaction says so and ends", async () => {
  const { store, registry } = cluster();
  for (let round = 0; round < 3; round++) await registry.txn(put("/a"));
  store.compact(3);
  const messages = async (after: number) => {
    const seen: string[] = [];
    const stop = new AbortController();
    for await (const message of registry.watch("/a", after, stop.signal)) {
      seen.push(message.kind);
      stop.abort();
    }
    return seen;
  };
  assert.deepEqual(await messages(2), ["compacted"]);
  assert.deepEqual(await messages(3), ["changes"]);
  await assert.rejects(registry.list("/a", { revision: 2 }), { code: "revision-compacted" });
});

test("a lease that is kept alive holds its keys; one that is not takes them along, soon after its time", async () => {
  const { clock, registry, other } = cluster();
  const lease = await registry.grantLease(2000);
  assert.ok(BigInt(lease) > 2n ** 53n);
  await registry.txn(put("/presence/m1", "here", lease));
  await clock.advance(1500);
  assert.equal(await registry.keepAlive(lease), true);
  await clock.advance(1900);
  assert.equal((await other.list("/presence/")).entries[0]?.lease, lease);
  await clock.advance(400);
  assert.deepEqual((await other.list("/presence/")).entries, []);
  assert.equal(await registry.keepAlive(lease), false);
  await registry.revokeLease(lease);
  await assert.rejects(registry.txn(put("/presence/m1", "here", lease)), { code: "lease-not-found" });
});

test("a closed client ends its watches and refuses calls", async () => {
  const { registry } = cluster();
  const watch = registry.watch("/", 1, new AbortController().signal);
  const next = watch.next();
  await registry.close();
  assert.equal((await next).done, true);
  await assert.rejects(registry.list("/"), { code: "registry-closed" });
});
