/** What a front is beyond the port's contract: a scope for each machine, leases that are its own, and a mirror that is never wrong. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { serveStranger } from "../../src/adapters/front/serve-stranger.ts";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { machineScope } from "../../src/codec/machine-scope.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import { OperationError, UnknownResultError } from "../../src/ports/operation-error.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { partCompiler } from "../../src/usecases/compile-part.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { liveAgent } from "../live-agent.ts";
import { ANYTHING, FrontWorld } from "./front-world.ts";
import { RawEtcdClient } from "./raw-etcd-client.ts";

const LIMITED = { timeout: 20_000 };
const keys = registryKeys("prod");
const me = "a".repeat(32) as MachineId;
const other = "b".repeat(32) as MachineId;
const asMachine = (machine: MachineId) => ({ name: machine, scope: machineScope(keys, machine) });

interface World {
  readonly direct: Registry;
  readonly front: FrontWorld;
}

async function world(t: TestContext, change: (direct: Registry) => Registry = (direct) => direct): Promise<World> {
  const direct = new MvccRegistry(new MvccStore(), systemClock);
  const front = await FrontWorld.start({
    registry: change(direct),
    root: keys.root,
    leaveOut: [`${keys.root}specs/`],
  });
  t.after(() => front.close());
  return { direct, front };
}

const write = (registry: Registry, key: string, value = "v", lease?: string) =>
  registry.txn({ when: [], then: [{ kind: "put", key, value, ...(lease === undefined ? {} : { lease }) }] });
const hasCode = (code: string) => (error: unknown) =>
  error instanceof OperationError && error.code === code && !(error instanceof UnknownResultError);
const isForbidden = (what: RegExp) => (error: unknown) =>
  hasCode("forbidden-key")(error) &&
  what.test((error as Error).message) &&
  (error as OperationError).next !== undefined;

async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + 10_000;
  while (!(await holds())) {
    assert.ok(performance.now() < limit, `waited 10 s for ${what}`);
    await systemClock.sleep(10);
  }
}

test(
  "an agent lives behind a front: it is there, is told what changes, and gives its lease back",
  LIMITED,
  async (t) => {
    const { direct, front } = await world(t);
    const registry = await front.connect(asMachine(me));
    const source = new MemoryGitSource(new MemoryRepository(), "main");
    const said: string[] = [];
    const agent = liveAgent({
      ...{ cluster: "prod", machine: me, registry, source, ttlMs: 10_000 },
      compilePart: partCompiler({ source, manifestPath: "fleet.yaml" }),
      log: ({ message }) => void said.push(message),
    });
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    const member = async () => (await readSnapshot(direct, keys)).snapshot.members[0];
    await until(async () => (await member())?.present === true, "its presence");
    // What somebody writes over it is told to it, and put right; so is a status that is nobody's.
    await write(direct, keys.member(me), "{}");
    await write(direct, keys.status(me, "gone.service" as UnitName), "{}");
    await until(async () => (await member())?.name === "m-aaaaaaaa", "its member record");
    await until(async () => (await direct.list(keys.statuses(me))).entries.length === 0, "the end of a foreign status");
    stop.abort();
    await running;
    assert.equal((await member())?.present, false);
    assert.deepEqual(said, []);
  },
);

test("what is not a machine's business is refused in plain words, by every kind of call", LIMITED, async (t) => {
  const { direct, front } = await world(t);
  await write(direct, keys.release, "secret");
  const registry = await front.connect(asMachine(me));
  await assert.rejects(registry.list(keys.root), isForbidden(/machine a{32} may not read \/fleet\/prod\/$/));
  await assert.rejects(registry.list(""), isForbidden(/may not read/));
  await assert.rejects(
    registry.list(keys.set(other), { exact: true }),
    isForbidden(/may not read .*placements\/b{32}/),
  );
  await assert.rejects(write(registry, keys.release), isForbidden(/may not write \/fleet\/prod\/release/));
  await assert.rejects(
    registry.txn({ when: [{ key: keys.leader, target: "mod", is: "=", value: 0 }], then: [] }),
    isForbidden(/may not compare .*engine\/leader/),
  );
  await assert.rejects(
    registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: keys.statuses(me) }] }),
    isForbidden(/may not delete everything under/),
  );
  const watching = registry.watch(`${keys.root}status/`, 1, new AbortController().signal);
  await assert.rejects(
    async () => {
      for await (const _ of watching);
    },
    isForbidden(/may not read .*status/),
  );
  assert.equal((await direct.list(keys.release, { exact: true })).entries[0]?.value, "secret");
});

test("what etcd serves and no client of fleet asks for is not there", LIMITED, async (t) => {
  const { direct, front } = await world(t);
  await write(direct, keys.release, "v");
  const [release, member] = [Buffer.from(keys.release), Buffer.from(keys.member(me))];
  const client = new RawEtcdClient(await front.addressFor(asMachine(me)));
  t.after(() => client.close());
  const { KV_METHODS, LEASE_METHODS } = await import("../../src/adapters/etcd-proto/etcd-proto.ts");
  const codes = await Promise.all([
    client.call(KV_METHODS.Put, { key: member, value: Buffer.from("v") }),
    client.call(KV_METHODS.DeleteRange, { key: member }),
    client.call(KV_METHODS.Compact, { revision: "1" }),
    client.call(LEASE_METHODS.LeaseLeases, {}),
    client.call(LEASE_METHODS.LeaseTimeToLive, { ID: "1", keys: true }),
    // Up to the end of the store, from a key it may read; of two prefixes; of what is not text.
    client.call(KV_METHODS.Range, { key: release, range_end: Buffer.from([0]) }),
    client.call(KV_METHODS.Range, { key: release, range_end: Buffer.from("/fleet/prod/z") }),
    client.call(KV_METHODS.Range, { key: Buffer.from([0xff]) }),
    client.call(KV_METHODS.Range, { key: release, sort_order: 1, sort_target: 3 }),
    client.call(KV_METHODS.Range, { key: release, count_only: true }),
    client.call(KV_METHODS.Txn, { success: [{ request_txn: { success: [] } }] }),
    client.call(KV_METHODS.Txn, { success: [{ request_put: { key: member, value: member, prev_kv: true } }] }),
    client.call(KV_METHODS.Txn, { compare: [{ key: member, target: 4, lease: "1" }] }),
    client.call(KV_METHODS.Txn, { compare: [{ key: member, range_end: release, target: 2, mod_revision: "1" }] }),
  ]);
  const [unimplemented, invalid, denied] = [12, 3, 7];
  assert.deepEqual(
    codes.map((answer) => ("code" in answer ? answer.code : answer)),
    [...Array(5).fill(unimplemented), denied, ...Array(8).fill(invalid)],
  );
  assert.deepEqual((await direct.list(keys.member(me))).entries, []);
});

test("a machine keeps and ends its own leases, and nobody else's", LIMITED, async (t) => {
  const { direct, front } = await world(t);
  const [mine, theirs] = [await front.connect(asMachine(me)), await front.connect(asMachine(other))];
  const lease = await mine.grantLease(60_000);
  await write(mine, keys.presence(me), "here", lease);
  const leading = await direct.grantLease(60_000);
  await write(direct, keys.leader, "leader", leading);
  for (const foreign of [lease, leading]) {
    await assert.rejects(theirs.keepAlive(foreign), isForbidden(/may not use lease/));
    await assert.rejects(theirs.revokeLease(foreign), isForbidden(/may not use lease/));
    await assert.rejects(write(theirs, keys.presence(other), "x", foreign), isForbidden(/may not use lease/));
  }
  assert.equal(await mine.keepAlive(lease), true);
  await mine.revokeLease(lease);
  assert.equal(await mine.keepAlive(lease), false);
  await assert.rejects(write(mine, keys.presence(me), "x", lease), hasCode("lease-not-found"));
  assert.equal((await direct.list(keys.leader, { exact: true })).entries.length, 1);
});

test("a lease goes on through another engine once a key hangs on it, and is taken anew before", LIMITED, async (t) => {
  const { direct, front: first } = await world(t);
  const second = await FrontWorld.start({ registry: direct, root: keys.root });
  t.after(() => second.close());
  const [before, after] = [await first.connect(asMachine(me)), await second.connect(asMachine(me))];
  const [hung, bare] = [await before.grantLease(60_000), await before.grantLease(60_000)];
  await write(before, keys.presence(me), "here", hung);
  assert.equal(await after.keepAlive(hung), true);
  assert.equal(await after.keepAlive(bare), false, "nobody there knows whose it is");
  await write(after, keys.claim(me, "boot"), "claim", hung);
  await after.revokeLease(hung);
  assert.deepEqual((await direct.list(keys.root)).entries, []);
});

test("nobody has more leases than anybody needs", LIMITED, async (t) => {
  const { front } = await world(t);
  const registry = await front.connect(asMachine(me));
  const granted = await Promise.allSettled(Array.from({ length: 20 }, () => registry.grantLease(60_000)));
  assert.equal(granted.filter(({ status }) => status === "fulfilled").length, 16);
  await assert.rejects(registry.grantLease(60_000), hasCode("registry-busy"));
  await (await front.connect(asMachine(other))).grantLease(60_000);
});

test("one machine's calls and watches beyond what it needs are refused, others' are not", LIMITED, async (t) => {
  const { front } = await world(t, (direct) => ({
    ...portOf(direct),
    txn: async (txn) => {
      await systemClock.sleep(200);
      return direct.txn(txn);
    },
  }));
  const [mine, theirs] = [await front.connect(asMachine(me)), await front.connect(asMachine(other))];
  const calls = Array.from({ length: 80 }, () => write(mine, keys.kept(me)));
  const outcome = await Promise.allSettled([...calls, write(theirs, keys.kept(other))]);
  const refused = outcome.filter((one) => one.status === "rejected" && hasCode("registry-busy")(one.reason));
  assert.equal(refused.length, 16);
  assert.equal(outcome.at(-1)?.status, "fulfilled");
  const client = new RawEtcdClient(await front.addressFor(asMachine(me)));
  t.after(() => client.close());
  const key = Buffer.from(keys.kept(me));
  const watch = client.watch({ create_request: { key } });
  for (let count = 0; count < 200; count++) watch.send({ create_request: { key } });
  await until(() => watch.error !== undefined, "the end of the stream");
  assert.deepEqual([watch.error!.code, watch.responses.filter(({ created }) => created).length], [8, 128]);
});

test(
  "lists are right also where the last write was none that the mirror hears of, and where it left something out",
  LIMITED,
  async (t) => {
    const { direct, front } = await world(t);
    await write(direct, `${keys.holds}cluster`, "held");
    await write(direct, `${keys.root}specs/1`, "index");
    const registry = await front.connect(asMachine(me));
    const anybody = await front.connect({ name: "anybody", scope: ANYTHING });
    const { revision } = await write(direct, "/elsewhere", "v");
    const listing = await registry.list(keys.holds);
    assert.deepEqual([listing.revision, listing.entries.map(({ value }) => value)], [revision, ["held"]]);
    assert.deepEqual(
      (await anybody.list(`${keys.root}specs/`)).entries.map(({ value }) => value),
      ["index"],
    );
    // A watch from there on misses nothing, though the mirror has not come so far.
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const message of registry.watch(keys.holds, listing.revision, stop.signal)) {
        if (message.kind === "changes") seen.push(...message.changes.map((one) => `${one.kind}`));
        if (seen.length === 2) stop.abort();
      }
    })();
    await direct.txn({ when: [], then: [{ kind: "delete", key: `${keys.holds}cluster` }] });
    await write(direct, `${keys.holds}cluster`, "again");
    await watching;
    assert.deepEqual(seen, ["delete", "put"]);
  },
);

test("an engine that does not reach the registry says so, and that nothing was written", LIMITED, async (t) => {
  let isAway = false;
  const away = async (): Promise<never> => {
    throw new OperationError("registry-timeout", "no answer in 5 s");
  };
  const { front } = await world(t, (direct) => ({
    ...portOf(direct),
    list: (...call) => (isAway ? away() : direct.list(...call)),
    txn: (txn) => (isAway ? away() : direct.txn(txn)),
  }));
  const registry = await front.connect(asMachine(me));
  await write(registry, keys.kept(me));
  isAway = true;
  await assert.rejects(write(registry, keys.kept(me)), hasCode("registry-unreachable"));
  await assert.rejects(registry.list(keys.kept(me)), hasCode("registry-unreachable"));
  isAway = false;
  await write(registry, keys.kept(me));
});

test("a result that the engine does not know is not taken for a refusal", LIMITED, async (t) => {
  const { front } = await world(t, (direct) => ({
    ...portOf(direct),
    txn: async () => {
      throw new UnknownResultError("registry-timeout", "no answer in 5 s; it may or may not have happened");
    },
  }));
  const registry = await front.connect(asMachine(me));
  await assert.rejects(write(registry, keys.kept(me)), (error) => error instanceof UnknownResultError);
});

test("where the registry's history was lost, so it is for those who watch through a front", LIMITED, async (t) => {
  const lost = new AbortController();
  const { direct, front } = await world(t, (direct) => ({
    ...portOf(direct),
    async *watch(prefix, after, signal) {
      yield* direct.watch(prefix, after, AbortSignal.any([signal, lost.signal]));
      if (!signal.aborted) yield { kind: "compacted" };
    },
  }));
  const registry = await front.connect(asMachine(me));
  const { revision } = await write(direct, `${keys.holds}cluster`);
  await until(() => front.front.mirror.store!.revision >= revision, "the mirror");
  const kinds: string[] = [];
  const watching = (async () => {
    for await (const { kind } of registry.watch(keys.holds, revision, new AbortController().signal)) kinds.push(kind);
  })();
  await until(() => front.front.watches.size === 1, "the watch");
  lost.abort();
  await watching;
  assert.deepEqual(kinds, ["compacted"]);
  assert.equal((await registry.list(keys.holds)).entries.length, 1);
});

test("a stranger hears not-listed, whatever it asks for", LIMITED, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-stranger-"));
  const path = join(folder, "stranger.sock");
  const server = createServer((socket) => serveStranger(socket, [], "machine b, unlisted-key"));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const registry = await openRegistry(`unix:${path}`, { clock: systemClock });
  t.after(async () => {
    await registry.close();
    server.close();
    rmSync(folder, { recursive: true });
  });
  const watching = async () => {
    for await (const _ of registry.watch(keys.holds, 1, new AbortController().signal));
  };
  const asked = [
    () => registry.list(keys.cluster, { exact: true }),
    () => write(registry, keys.member(other)),
    watching,
    () => registry.grantLease(10_000),
    () => registry.keepAlive("7"),
    () => registry.revokeLease("7"),
    () => registry.describe(),
  ];
  for (const ask of asked) {
    await assert.rejects(ask, (error) => hasCode("not-listed")(error) && /machine b, unlisted-key/.test(`${error}`));
  }
});

function portOf(registry: Registry): Registry {
  return {
    list: (...call) => registry.list(...call),
    txn: (txn) => registry.txn(txn),
    watch: (...call) => registry.watch(...call),
    grantLease: (ttlMs) => registry.grantLease(ttlMs),
    keepAlive: (lease) => registry.keepAlive(lease),
    revokeLease: (lease) => registry.revokeLease(lease),
    describe: () => registry.describe(),
    close: () => registry.close(),
  };
}
