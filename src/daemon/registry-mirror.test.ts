import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ListOptions, WatchMessage } from "../ports/registry.ts";
import { RegistryMirror } from "./registry-mirror.ts";

/** A registry that can go away, end its watches, or keep changes to itself. */
class UnsteadyRegistry extends MvccRegistry {
  down = false;
  /** Watches say nothing of what happens. */
  mute = false;
  #cut = new AbortController();

  override async list(prefix: string, options?: ListOptions) {
    if (this.down) throw new OperationError("registry-unreachable", "down");
    return super.list(prefix, options);
  }

  override async *watch(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<WatchMessage> {
    const cut = this.#cut.signal;
    for await (const message of super.watch(prefix, after, AbortSignal.any([signal, cut]))) {
      if (!this.mute) yield message;
    }
    if (cut.aborted) throw new OperationError("registry-unreachable", "cut");
  }

  cutWatches(): void {
    this.#cut.abort();
    this.#cut = new AbortController();
  }
}

function world(prefixes: readonly string[] = ["/a/", "/b/"]) {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new UnsteadyRegistry(store, clock);
  let wakes = 0;
  const mirror = new RegistryMirror(registry, prefixes, clock, () => wakes++);
  const stop = new AbortController();
  const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  const remove = (key: string) => registry.txn({ when: [], then: [{ kind: "delete", key }] });
  const start = () => mirror.run(stop.signal);
  const shown = () => Object.fromEntries([...mirror.entries()].map(({ key, value }) => [key, value]).sort());
  return { clock, store, registry, mirror, stop, put, remove, start, shown, wakes: () => wakes };
}

test("it shows what was there, and every change after, and nothing outside its prefixes", async () => {
  const { clock, mirror, put, remove, start, shown } = world();
  await put("/a/1", "one");
  await put("/c/1", "not ours");
  assert.deepEqual([mirror.complete, mirror.connected], [false, false]);
  void start();
  await clock.advance(1);
  assert.deepEqual([mirror.complete, mirror.connected], [true, true]);
  assert.deepEqual(shown(), { "/a/1": "one" });
  await put("/a/1", "two");
  const { revision } = await put("/b/1", "three");
  await remove("/a/1");
  await clock.advance(1);
  assert.deepEqual(shown(), { "/b/1": "three" });
  assert.equal(mirror.get("/b/1")?.modRevision, revision);
  assert.equal(mirror.revision, revision + 1);
});

test("every change wakes, silence does not", async () => {
  const { clock, put, start, wakes } = world();
  void start();
  await clock.advance(1);
  const before = wakes();
  await clock.advance(60_000);
  assert.equal(wakes(), before);
  await put("/a/1", "one");
  await clock.advance(1);
  assert.equal(wakes(), before + 1);
});

test("a registry that goes away leaves what was known; when it is back, what happened meanwhile is seen, deletions too", async () => {
  const { clock, registry, mirror, put, remove, start, shown } = world();
  await put("/a/1", "one");
  await put("/a/2", "two");
  void start();
  await clock.advance(1);
  assert.equal(mirror.lastAway, null);
  const fromMs = clock.monotonicMs();
  registry.down = true;
  registry.cutWatches();
  await clock.advance(60_000);
  assert.deepEqual([mirror.complete, mirror.connected], [true, false]);
  assert.equal((mirror.problem as OperationError).code, "registry-unreachable");
  await remove("/a/1");
  await put("/b/3", "three");
  assert.deepEqual(shown(), { "/a/1": "one", "/a/2": "two" });
  registry.down = false;
  assert.ok(await clock.runUntil(() => mirror.connected, 10_000));
  assert.deepEqual(shown(), { "/a/2": "two", "/b/3": "three" });
  assert.equal(mirror.problem, null);
  assert.deepEqual(mirror.lastAway, { fromMs, untilMs: clock.monotonicMs() });
});

test("a history that is compacted away is listed again", async () => {
  const { clock, store, registry, mirror, put, remove, start, shown } = world();
  await put("/a/1", "one");
  registry.down = true;
  void start();
  await clock.advance(10);
  registry.down = false;
  await clock.runUntil(() => mirror.connected, 10_000);
  registry.cutWatches();
  await remove("/a/1");
  await put("/a/2", "two");
  store.compact(store.revision);
  assert.ok(await clock.runUntil(() => "/a/2" in shown(), 10_000));
  assert.deepEqual(shown(), { "/a/2": "two" });
});

test("a watch that keeps changes to itself is found out within five minutes", async () => {
  const { clock, registry, put, remove, start, shown } = world();
  await put("/a/1", "one");
  void start();
  await clock.advance(1);
  registry.mute = true;
  await remove("/a/1");
  await put("/b/2", "two");
  await clock.advance(300_000 + 1_000);
  assert.deepEqual(shown(), { "/b/2": "two" });
});

test("a listing that shows what is known already changes nothing, entry for entry; one that does not counts, also at the same revision", async () => {
  const { clock, registry, mirror, put, start } = world();
  const { revision } = await put("/a/1", "one");
  void start();
  await clock.advance(1);
  const [before, entry] = [mirror.changes, mirror.get("/a/1")];
  await clock.advance(600_000 + 1_000);
  assert.equal(mirror.changes, before);
  assert.equal(mirror.get("/a/1"), entry);
  const other = { ...entry!, value: "two" };
  registry.list = async (prefix) => ({ revision, entries: prefix === "/a/" ? [other] : [] });
  await clock.advance(300_000);
  assert.ok(mirror.changes > before);
  assert.equal(mirror.get("/a/1")?.value, "two");
});

test("after any number of cuts in its life it is back as fast as after the first", async () => {
  const { clock, registry, mirror, start } = world();
  void start();
  await clock.advance(1);
  for (let cuts = 0; cuts < 12; cuts++) {
    await clock.advance(60_000);
    registry.cutWatches();
    await clock.runUntil(() => !mirror.connected, 1_000);
    assert.ok(await clock.runUntil(() => mirror.connected, 250), `after ${cuts} cuts`);
  }
});

test("a registry that stays away is asked less and less, five seconds apart at most", async () => {
  const { clock, registry, mirror, start } = world(["/a/"]);
  registry.down = true;
  let asked = 0;
  registry.list = async () => {
    asked++;
    throw new OperationError("registry-unreachable", "down");
  };
  void start();
  await clock.advance(600_000);
  assert.ok(asked >= 120 && asked <= 130, `${asked} times in ten minutes`);
  assert.equal(mirror.complete, false);
});

test("it ends when it is told to", async () => {
  const { clock, stop, start } = world();
  const running = start();
  await clock.advance(1);
  stop.abort();
  await clock.advance(1);
  await running;
});

test("after an outage of whatever length it is back as soon as whoever needs it asks, not after the longest wait", async () => {
  const { clock, store } = world();
  const registry = new UnsteadyRegistry(store, clock);
  const stop = new AbortController();
  const mirror = new RegistryMirror(
    registry,
    ["/a/"],
    clock,
    () => {},
    () => 1_000,
  );
  void mirror.run(stop.signal);
  await clock.advance(1);
  registry.down = true;
  registry.cutWatches();
  await clock.advance(60_000);
  assert.equal(mirror.connected, false);
  registry.down = false;
  await clock.advance(1_000);
  assert.equal(mirror.connected, true);
  stop.abort();
  await clock.advance(1);
});
