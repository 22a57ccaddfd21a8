import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Etcd3 } from "etcd3";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { Registry, WatchMessage } from "../../src/ports/registry.ts";
import { EtcdProcess } from "./etcd-process.ts";

/** An independent client on the same store: what ours writes, everybody's etcd client reads, and the other way round. */
let etcd: EtcdProcess;
let ours: Registry;
let theirs: Etcd3;
before(async () => {
  etcd = await EtcdProcess.start("3.4");
  ours = await openRegistry(etcd.address, { clock: systemClock });
  theirs = new Etcd3({ hosts: `127.0.0.1:${etcd.port}` });
});
after(async () => {
  await ours?.close();
  theirs?.close();
  await etcd?.remove();
});

const TEXT = "größer ✓ \u{1f600}\n\0";

test("etcd3 reads what we write: value, revisions, version and lease", async () => {
  const lease = await ours.grantLease(60_000);
  const { revision } = await ours.txn({ when: [], then: [{ kind: "put", key: "/ours/ü", value: TEXT, lease }] });
  const { kvs } = await theirs.get("/ours/ü").exec();
  const [kv] = kvs;
  assert.deepEqual(
    [kv!.key.toString(), kv!.value.toString(), kv!.create_revision, kv!.mod_revision, kv!.version, kv!.lease],
    ["/ours/ü", TEXT, String(revision), String(revision), "1", lease],
  );
  const { keys } = await theirs.leaseClient.leaseTimeToLive({ ID: lease, keys: true });
  assert.deepEqual(keys.map(String), ["/ours/ü"]);
  await ours.revokeLease(lease);
  assert.equal(await theirs.get("/ours/ü"), null);
});

test("we read what etcd3 writes, and see it as a watch", async () => {
  const { revision } = await ours.list("/theirs/");
  const lease = theirs.lease(60, { autoKeepAlive: false });
  const id = await lease.grant();
  await lease.put("/theirs/ü").value(TEXT);
  await theirs.put("/theirs/b").value("");
  await theirs.delete().key("/theirs/b");
  const { entries } = await ours.list("/theirs/");
  const [one, two] = [revision + 1, revision + 2];
  const entry = { key: "/theirs/ü", value: TEXT, createRevision: one, modRevision: one, version: 1, lease: id };
  assert.deepEqual(entries, [entry]);
  const stop = new AbortController();
  const seen: WatchMessage[] = [];
  for await (const message of ours.watch("/theirs/", revision, stop.signal)) {
    seen.push(message);
    if (message.kind === "changes" && message.revision === revision + 3) stop.abort();
  }
  assert.deepEqual(
    seen.flatMap((message) => (message.kind === "changes" ? message.changes : [])),
    [
      { kind: "put", entry },
      {
        kind: "put",
        entry: { key: "/theirs/b", value: "", createRevision: two, modRevision: two, version: 1, lease: null },
      },
      { kind: "delete", key: "/theirs/b", modRevision: revision + 3 },
    ],
  );
  assert.equal(await ours.keepAlive(id), true);
  await lease.revoke();
  assert.equal(await ours.keepAlive(id), false);
});

test("a comparison of ours and one of etcd3's guard the same key", async () => {
  const create = { key: "/both", target: "create", is: "=", value: 0 } as const;
  const claimed = await theirs.if("/both", "Create", "==", 0).then(theirs.put("/both").value("theirs")).commit();
  const refused = await ours.txn({ when: [create], then: [{ kind: "put", key: "/both", value: "ours" }] });
  assert.deepEqual([claimed.succeeded, refused.succeeded], [true, false]);
  const guarded = { key: "/both", target: "value", is: "=", value: "theirs" } as const;
  const taken = await ours.txn({ when: [guarded], then: [{ kind: "put", key: "/both", value: "ours" }] });
  const late = await theirs
    .if("/both", "Mod", "==", taken.revision - 1)
    .then(theirs.put("/both").value("late"))
    .commit();
  assert.deepEqual([taken.succeeded, late.succeeded], [true, false]);
});
