import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { MvccRegistry } from "../../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../../src/adapters/mvcc/mvcc-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { HubWorld } from "./hub-world.ts";
import { type CutKind, TcpProxy } from "./tcp-proxy.ts";

/** A hang fails by its own name. */
const LIMITED = { timeout: 30_000 };
/** Waits of the registry's client are twenty times shorter; its deadlines are not. */
const hasty: Clock = { ...systemClock, sleep: (milliseconds, signal) => systemClock.sleep(milliseconds / 20, signal) };

async function hubOf(t: TestContext, engines: number): Promise<{ world: HubWorld; direct: Registry }> {
  const direct = new MvccRegistry(new MvccStore(), systemClock);
  const world = await HubWorld.start(engines, { registry: direct, root: "" });
  t.after(() => world.close());
  return { world, direct };
}

const write = (registry: Registry, key: string, value: string) =>
  registry.txn({ when: [], then: [{ kind: "put", key, value }] });

/** Reads what a watch says until it has said that much, over whatever breaks meanwhile. */
async function watched(registry: Registry, prefix: string, changes: number): Promise<string[]> {
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const message of registry.watch(prefix, 0, stop.signal)) {
    if (message.kind !== "changes") continue;
    seen.push(...message.changes.map((change) => (change.kind === "put" ? change.entry.key : `-${change.key}`)));
    if (seen.length >= changes) stop.abort();
  }
  return seen;
}

/** Asks until it is answered: what an agent's loops do. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const limit = performance.now() + 20_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof OperationError) || performance.now() > limit) throw error;
      await systemClock.sleep(20);
    }
  }
}

test(
  "a watch over links that break every few kilobytes, in every way, loses and repeats nothing",
  LIMITED,
  async (t) => {
    const { world, direct } = await hubOf(t, 2);
    const proxies = await Promise.all(world.engines.map(({ port }) => TcpProxy.start(port)));
    t.after(() => Promise.all(proxies.map((proxy) => proxy.close())));
    const kinds: readonly CutKind[] = ["reset", "close", "half-close"];
    let planned = 0;
    for (const proxy of proxies) {
      proxy.planCuts(() => {
        planned += 1;
        return planned > 24 ? null : { afterBytes: 2_000 + 400 * planned, kind: kinds[planned % 3]! };
      });
    }
    const { registry } = await world.connect(
      proxies.map(({ port }) => port),
      hasty,
    );
    const names = Array.from({ length: 300 }, (_, at) => `/w/${String(at).padStart(3, "0")}`);
    const seen = watched(registry, "/w/", names.length);
    for (const name of names) await write(direct, name, "x".repeat(500));
    assert.deepEqual(await seen, names);
    assert.ok(proxies.reduce((sum, { cuts }) => sum + cuts, 0) >= 8, "the links did break");
  },
);

test("engines die one after the other under a watch and calls, and come to be used again", LIMITED, async (t) => {
  const { world, direct } = await hubOf(t, 2);
  const proxies = await Promise.all(world.engines.map(({ port }) => TcpProxy.start(port)));
  t.after(() => Promise.all(proxies.map((proxy) => proxy.close())));
  const { registry, relay } = await world.connect(
    proxies.map(({ port }) => port),
    hasty,
  );
  const seen = watched(registry, "/w/", 4);
  await write(registry, "/w/1", "");
  assert.equal(relay.state().engine, `127.0.0.1:${proxies[0]!.port}`);
  for (const [at, other] of [
    [0, 1],
    [1, 0],
    [0, 1],
  ] as const) {
    proxies[at]!.planCuts(() => ({ afterBytes: 0, kind: "reset" }));
    proxies[other]!.planCuts(() => null);
    proxies[at]!.cut();
    await untilAnswered(() => registry.list("/w/"));
    assert.equal(relay.state().engine, `127.0.0.1:${proxies[other]!.port}`);
    await write(direct, `/w/${performance.now()}`, "");
  }
  assert.equal((await seen).length, 4);
});

test(
  "a machine that is not listed any more is told so by name, and is back with the next commit",
  LIMITED,
  async (t) => {
    const { world } = await hubOf(t, 1);
    const [[key, machine]] = [...world.listed] as [[never, never]];
    const { registry, relay } = await world.connect(undefined, hasty);
    world.listed.delete(key);
    await assert.rejects(
      registry.list("/"),
      (error) =>
        error instanceof OperationError &&
        error.code === "registry-unreachable" &&
        /no engine can be used: .*refused-unlisted-key/.test(error.message) &&
        /stanza/.test(error.next ?? ""),
    );
    assert.deepEqual(
      relay.state().failures.map(({ code }) => code),
      ["refused-unlisted-key"],
    );
    world.listed.set(key, machine);
    await untilAnswered(() => registry.list("/"));
    assert.deepEqual(relay.state().failures, []);
  },
);

test("an engine of another cluster carries nothing, though its key is a listed one", LIMITED, async (t) => {
  const { world, direct } = await hubOf(t, 1);
  await write(direct, "/w/1", "");
  const { registry, relay } = await world.connect(undefined, hasty, "f".repeat(32));
  await assert.rejects(registry.list("/w/"), /no engine can be used: .*another cluster \(other-cluster\)/);
  assert.equal(relay.state().engine, null);
});
