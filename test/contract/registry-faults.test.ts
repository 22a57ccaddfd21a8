import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { startEmbeddedRegistry } from "../../src/adapters/embedded/embedded-registry-server.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { OperationError, UnknownResultError } from "../../src/ports/operation-error.ts";
import type { Registry, Txn, WatchMessage } from "../../src/ports/registry.ts";
import { EtcdProcess, freePort } from "./etcd-process.ts";
import { type CutKind, TcpProxy } from "./tcp-proxy.ts";

/** A call's deadline (5 s) and connecting anew (3 s), on a busy machine. */
const BOUND_MS = 12_000;
/** A hang fails by its own name instead of the runner's. */
const TEST_LIMIT_MS = 60_000;
/** A clock on which waiting is twenty times shorter: silence of 10 s on a watch is noticed after half a second. */
const hastyClock: Clock = {
  ...systemClock,
  sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 20, signal),
};

/** Servers of every kind, for what depends on the server too; the rest runs on `etcd`. */
const SERVERS = ["etcd 3.4", "etcd 3.5", "embedded"] as const;
type ServerName = (typeof SERVERS)[number];
const servers = new Map<
  ServerName,
  { readonly port: number; readonly direct: Registry; readonly stop: () => unknown }
>();
let etcd: EtcdProcess;
let direct: Registry;
before(async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-faults-"));
  const [three, five, embedded] = await Promise.all([
    EtcdProcess.start("3.4"),
    EtcdProcess.start("3.5"),
    startEmbeddedRegistry({ dataDir: folder, listen: ["127.0.0.1:0"] }),
  ]);
  const embeddedPort = Number(embedded.addresses[0]!.split(":").at(-1));
  const add = async (name: ServerName, port: number, stop: () => unknown) =>
    servers.set(name, { port, direct: await openRegistry(`etcd://127.0.0.1:${port}`, { clock: systemClock }), stop });
  await add("etcd 3.4", three.port, () => three.remove());
  await add("etcd 3.5", five.port, () => five.remove());
  await add("embedded", embeddedPort, () => embedded.close().then(() => rmSync(folder, { recursive: true })));
  etcd = three;
  direct = servers.get("etcd 3.4")!.direct;
});
after(async () => {
  for (const { direct, stop } of servers.values()) {
    await direct.close();
    await stop();
  }
});

const put = (key: string, value: string): Txn => ({ when: [], then: [{ kind: "put", key, value }] });
const isTimeout = (error: unknown) => error instanceof OperationError && error.code === "registry-timeout";

async function proxyFor(t: TestContext, port = etcd.port): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(port);
  t.after(() => proxy.close());
  return proxy;
}

async function clientAt(t: TestContext, address: string, clock: Clock = systemClock): Promise<Registry> {
  const registry = await openRegistry(address, { clock });
  t.after(() => registry.close());
  return registry;
}

/** The same numbers for the same seed, between 0 and 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A watch running in the background. */
function follow(registry: Registry, prefix: string, from: number) {
  const stop = new AbortController();
  const seen: string[] = [];
  const kinds: WatchMessage["kind"][] = [];
  const ended = (async () => {
    for await (const message of registry.watch(prefix, from, stop.signal)) {
      kinds.push(message.kind);
      if (message.kind !== "changes") continue;
      for (const change of message.changes) seen.push(change.kind === "put" ? `${change.entry.modRevision}` : "delete");
    }
  })();
  const end = async () => {
    stop.abort();
    await ended;
  };
  return { seen, kinds, ended, stop: end };
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const limit = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < limit, `waited 30 s for ${what}`);
    await systemClock.sleep(10);
  }
}

// Most of each is waiting: for a deadline, or for silence to have lasted long enough.
describe("side by side", { concurrency: true }, () => {
  for (const name of SERVERS)
    test(`${name}: 24 cuts at random places lose, repeat and disorder no change of a watch`, {
      timeout: TEST_LIMIT_MS,
    }, async (t) => {
      const { port, direct } = servers.get(name)!;
      const random = randomNumbers(7);
      const kinds: readonly CutKind[] = ["reset", "close", "half-close"];
      const proxy = await proxyFor(t, port);
      proxy.planCuts(() => {
        if (proxy.cuts >= 24) return null;
        return { afterBytes: 60 + Math.floor(random() ** 3 * 30_000), kind: kinds[Math.floor(random() * 3)]! };
      });
      const { revision } = await direct.list("/cuts/");
      // In a hurry, or what is written while it backs off outgrows the distance between two cuts and nothing ever arrives whole.
      const registry = await clientAt(t, proxy.address, hastyClock);
      const watch = follow(registry, "/cuts/", revision);
      const expected: string[] = [];
      let isWriting = true;
      const writing = (async () => {
        for (let count = 0; count < 500 || (proxy.cuts < 24 && count < 5_000); count++) {
          const key = (index: number) => ({ kind: "put" as const, key: `/cuts/${index}`, value: "x" });
          const then = Array.from({ length: 1 + Math.floor(random() * 6) }, (_, index) => key(index));
          const result = await direct.txn({ when: [], then });
          expected.push(...then.map(() => `${result.revision}`));
          await systemClock.sleep(2);
        }
        isWriting = false;
      })();
      await until(() => !isWriting && watch.seen.length >= expected.length, "the last change");
      await writing;
      await watch.stop();
      assert.deepEqual(watch.seen, expected);
      assert.equal(proxy.cuts, 24);
    });

  for (const name of SERVERS)
    test(`${name}: a watch gone silent is noticed and goes on elsewhere; one that is merely idle is left alone`, {
      timeout: TEST_LIMIT_MS,
    }, async (t) => {
      const { port, direct } = servers.get(name)!;
      const proxy = await proxyFor(t, port);
      const registry = await clientAt(t, proxy.address, hastyClock);
      const { revision } = await direct.txn(put("/idle/a", "0"));
      const watch = follow(registry, "/idle/", revision - 1);
      await until(() => watch.seen.length === 1, "the first change");
      // Five times as long as silence is borne.
      await systemClock.sleep(2_500);
      assert.equal(proxy.connections, 1);
      proxy.silence();
      await direct.txn(put("/idle/a", "1"));
      await until(() => watch.seen.length === 2, "the change made during the silence");
      assert.equal(proxy.connections, 2);
      await watch.stop();
    });

  test("calls to a server gone silent end by their deadline, and the next one finds another way", {
    timeout: TEST_LIMIT_MS,
  }, async (t) => {
    const proxy = await proxyFor(t);
    const registry = await clientAt(t, proxy.address);
    const lease = await registry.grantLease(60_000);
    proxy.silence();
    const start = performance.now();
    await Promise.all([
      assert.rejects(registry.list("/silent/"), isTimeout),
      assert.rejects(registry.keepAlive(lease), isTimeout),
      assert.rejects(registry.txn(put("/silent/a", "1")), UnknownResultError),
      assert.rejects(registry.describe(), isTimeout),
    ]);
    assert.ok(performance.now() - start < BOUND_MS);
    const again = performance.now();
    assert.equal(await registry.keepAlive(lease), true);
    assert.ok(performance.now() - again < 2_000);
  });

  test("an endpoint that stops answering is left for one that does", { timeout: TEST_LIMIT_MS }, async (t) => {
    const [one, two] = [await proxyFor(t), await proxyFor(t)];
    const registry = await clientAt(t, `etcd://127.0.0.1:${one.port},127.0.0.1:${two.port}`);
    await registry.list("/");
    const [used, spare] = one.connections > 0 && two.connections === 0 ? [one, two] : [two, one];
    used.isBlackhole = true;
    used.silence();
    await assert.rejects(registry.list("/"), isTimeout);
    await registry.list("/");
    assert.ok(spare.connections > 0);
  });
});

test("a backlog of 5 MB comes whole, though its fragments are cut apart", { timeout: TEST_LIMIT_MS }, async (t) => {
  const { revision } = await direct.list("/big/");
  const expected: string[] = [];
  for (let index = 0; index < 600; index += 10) {
    const then = Array.from({ length: 10 }, (_, at) => ({
      kind: "put" as const,
      key: `/big/${index + at}`,
      value: "x".repeat(8_000),
    }));
    const result = await direct.txn({ when: [], then });
    expected.push(...then.map(() => `${result.revision}`));
  }
  const proxy = await proxyFor(t);
  const cutAfter = [1_000, 1_000_000, 2_500_000, 4_000_000];
  proxy.planCuts(() => {
    const afterBytes = cutAfter.shift();
    return afterBytes === undefined ? null : { afterBytes, kind: "reset" };
  });
  const registry = await clientAt(t, proxy.address);
  const watch = follow(registry, "/big/", revision);
  await until(() => watch.seen.length >= expected.length, "the backlog");
  await watch.stop();
  assert.deepEqual(watch.seen, expected);
  assert.deepEqual(cutAfter, []);
});

test("a transaction whose reply is lost has an unknown result, and its write can be read back", {
  timeout: TEST_LIMIT_MS,
}, async (t) => {
  const proxy = await proxyFor(t);
  const registry = await clientAt(t, proxy.address);
  await registry.list("/lost/");
  proxy.dropReplies();
  const rejection = assert.rejects(registry.txn(put("/lost/a", "operation 1")), UnknownResultError);
  const written = follow(direct, "/lost/", 0);
  await until(() => written.seen.length === 1, "the write");
  proxy.cut();
  await rejection;
  assert.deepEqual(
    (await registry.list("/lost/")).entries.map((entry) => [entry.value, entry.version]),
    [["operation 1", 1]],
    "written once: nothing tried again",
  );
  await written.stop();
});

test("a server nobody reaches is an error at once, and a transaction then surely did not happen", {
  timeout: TEST_LIMIT_MS,
}, async (t) => {
  const registry = await clientAt(t, `etcd://127.0.0.1:${await freePort()}`);
  const start = performance.now();
  const isUnreachable = (error: unknown) =>
    error instanceof OperationError &&
    !(error instanceof UnknownResultError) &&
    error.code === "registry-unreachable" &&
    error.message.includes("ECONNREFUSED") &&
    error.next !== undefined;
  await assert.rejects(registry.list("/"), isUnreachable);
  await assert.rejects(registry.txn(put("/never", "1")), isUnreachable);
  assert.ok(performance.now() - start < 3_000);
});

test("one live endpoint is enough, beside a dead one and a silent one", { timeout: TEST_LIMIT_MS }, async (t) => {
  const silent = await proxyFor(t);
  silent.isBlackhole = true;
  const endpoints = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${silent.port}`, `127.0.0.1:${etcd.port}`];
  for (let round = 0; round < 5; round++) {
    const registry = await clientAt(t, `etcd://${endpoints.join(",")}`);
    const start = performance.now();
    const { revision } = await registry.txn(put("/endpoints/a", String(round)));
    const watch = follow(registry, "/endpoints/", revision - 1);
    await until(() => watch.seen.length === 1, "the change");
    assert.ok(performance.now() - start < 2_500);
    await watch.stop();
    await registry.close();
  }
});

test("a watch outlives its etcd being killed and started again", { timeout: TEST_LIMIT_MS }, async () => {
  const { revision } = await direct.txn(put("/restart/a", "0"));
  const watch = follow(direct, "/restart/", revision - 1);
  await until(() => watch.seen.length === 1, "the first change");
  await etcd.kill();
  await assert.rejects(direct.list("/restart/"), OperationError);
  await etcd.run();
  const second = await direct.txn(put("/restart/a", "1"));
  await until(() => watch.seen.length === 2, "the change after the restart");
  assert.deepEqual(watch.seen, [`${revision}`, `${second.revision}`]);
  await watch.stop();
});

test("a store restored to an older revision ends the watch with compacted, instead of silence", {
  timeout: TEST_LIMIT_MS,
}, async () => {
  await direct.txn(put("/restored/a", "0"));
  const { revision } = await direct.txn(put("/restored/a", "1"));
  const watch = follow(direct, "/restored/", revision - 1);
  await until(() => watch.seen.length === 1, "the first change");
  await etcd.wipe();
  await watch.ended;
  assert.deepEqual(watch.kinds, ["changes", "compacted"]);
});
