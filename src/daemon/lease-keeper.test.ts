import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId } from "../ports/registry.ts";
import { LeaseKeeper } from "./lease-keeper.ts";

const TTL_MS = 9_000;

/** A registry with a way to it: slow, or cut. */
class FarRegistry extends MvccRegistry {
  readonly #clock: VirtualClock;
  /** How long a call is under way before it arrives, and its answer again. */
  delayMs = 0;
  cut = false;

  constructor(store: MvccStore, clock: VirtualClock) {
    super(store, clock);
    this.#clock = clock;
  }

  override grantLease(ttlMs: number): Promise<LeaseId> {
    return this.#travel(() => super.grantLease(ttlMs));
  }

  override keepAlive(lease: LeaseId): Promise<boolean> {
    return this.#travel(() => super.keepAlive(lease));
  }

  override revokeLease(lease: LeaseId): Promise<void> {
    return this.#travel(() => super.revokeLease(lease));
  }

  async #travel<T>(call: () => Promise<T>): Promise<T> {
    if (this.cut) throw new OperationError("registry-unreachable", "cut");
    if (this.delayMs > 0) await this.#clock.sleep(this.delayMs);
    const answer = await call();
    if (this.delayMs > 0) await this.#clock.sleep(this.delayMs);
    return answer;
  }
}

function world() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new FarRegistry(store, clock);
  const daemon = clock.clockFor();
  let wakes = 0;
  const keeper = new LeaseKeeper(registry, daemon, TTL_MS, () => wakes++);
  const stop = new AbortController();
  void expireLeases(store, clock, stop.signal);
  const running = keeper.run(stop.signal);
  const lives = (lease: LeaseId | null) => lease !== null && store.leases.get(lease) !== undefined;
  return { clock, store, registry, daemon, keeper, running, stop, lives, wakes: () => wakes };
}

test("one lease is kept for an hour, told once", async () => {
  const { clock, keeper, lives, wakes } = world();
  await clock.advance(1);
  const { lease } = keeper;
  assert.ok(lives(lease));
  await clock.advance(3_600_000);
  assert.equal(keeper.lease, lease);
  assert.equal(wakes(), 1);
});

test("whatever the way to the registry does, a lease it says it holds is alive there", async () => {
  const { clock, registry, keeper, lives } = world();
  const story: readonly [ms: number, delayMs: number, cut: boolean][] = [
    [5_000, 0, false],
    [30_000, 2_000, false],
    [4_000, 0, true],
    [5_000, 0, false],
    [20_000, 0, true],
    [30_000, 4_400, false],
    [20_000, 0, false],
  ];
  let held = 0;
  for (const [ms, delayMs, cut] of story) {
    Object.assign(registry, { delayMs, cut });
    for (let passed = 0; passed < ms; passed += 50) {
      await clock.advance(50);
      if (keeper.lease !== null) assert.ok(lives(keeper.lease), `held at ${clock.monotonicMs()} ms, and gone there`);
      held += keeper.lease === null ? 0 : 50;
    }
  }
  assert.ok(held > 60_000);
  assert.ok(lives(keeper.lease), "and in the end it has one");
});

test("a lease is counted from when its renewal was sent, not from when the answer came", async () => {
  const { clock, registry, keeper } = world();
  await clock.advance(1);
  registry.delayMs = 4_000;
  await clock.advance(TTL_MS / 3 + 8_000);
  assert.notEqual(keeper.lease, null, "answered in time");
  registry.cut = true;
  await clock.advance(1_100);
  assert.equal(keeper.lease, null, "9 s after it was sent");
});

test("cut off it holds its lease for the time to live and not longer; then it takes a new one", async () => {
  const { clock, registry, keeper, wakes } = world();
  await clock.advance(1);
  const first = keeper.lease;
  registry.cut = true;
  await clock.advance(TTL_MS - 100);
  assert.equal(keeper.lease, first);
  await clock.advance(100);
  assert.equal(keeper.lease, null);
  await clock.advance(TTL_MS);
  registry.cut = false;
  await clock.advance(TTL_MS);
  assert.notEqual(keeper.lease, null);
  assert.notEqual(keeper.lease, first);
  assert.equal(wakes(), 2);
});

test("a process that stood still for longer than the lease does not believe in it when it goes on", async () => {
  const { clock, daemon, keeper, lives } = world();
  await clock.advance(1);
  const first = keeper.lease;
  daemon.pause();
  await clock.advance(TTL_MS + 1_000);
  assert.equal(keeper.lease, null);
  daemon.resume();
  await clock.advance(1_000);
  assert.notEqual(keeper.lease, first);
  assert.ok(lives(keeper.lease));
});

test("a lease somebody revoked is replaced at the next renewal", async () => {
  const { clock, store, keeper, lives } = world();
  await clock.advance(1);
  const first = keeper.lease!;
  store.revokeLease(first);
  await clock.advance(TTL_MS / 3 + 1);
  assert.notEqual(keeper.lease, first);
  assert.ok(lives(keeper.lease));
});

test("it gives its lease back when it ends, and ends although the registry is gone", async () => {
  for (const cut of [false, true]) {
    const { clock, registry, keeper, running, stop, lives } = world();
    await clock.advance(1);
    const { lease } = keeper;
    registry.cut = cut;
    stop.abort();
    await running;
    assert.equal(keeper.lease, null);
    assert.equal(lives(lease), cut);
  }
});

test("where somebody's life hangs on it, it is renewed three times within that time, from now on, and each is told as it was sent", async () => {
  const { clock, keeper } = world();
  const told: number[] = [];
  keeper.onRenewed = (lease, sentMs) => {
    assert.equal(lease, keeper.lease);
    told.push(sentMs);
  };
  await clock.advance(1_000);
  assert.equal(told.length, 1);
  keeper.mustShowWithin(3_000);
  await clock.advance(3_001);
  assert.deepEqual(told.slice(1), [1_000, 2_000, 3_000, 4_000]);
  keeper.mustShowWithin(60_000);
  await clock.advance(20_000);
  assert.equal(told.at(-1), 23_000, "never more rarely than the lease needs");
  keeper.mustShowWithin(null);
  await clock.advance(TTL_MS);
  assert.equal(told.length, 5 + 7 + 3);
});

test("what somebody's life hangs on is not given back: whoever comes next takes over", async () => {
  const { clock, keeper, running, stop, lives } = world();
  await clock.advance(1);
  const { lease } = keeper;
  keeper.mustShowWithin(3_000);
  stop.abort();
  await running;
  assert.ok(lives(lease));
});

test("asked to last longer it takes a lease for that time, and leaves the old one to its end", async () => {
  const { clock, registry, keeper, lives } = world();
  await clock.advance(1);
  const first = keeper.lease;
  keeper.lastFor(TTL_MS);
  await clock.advance(1);
  assert.equal(keeper.lease, first, "that is what it has");
  keeper.lastFor(2 * TTL_MS);
  await clock.advance(1);
  assert.notEqual(keeper.lease, first);
  await clock.advance(TTL_MS + 1_000);
  assert.equal(lives(first), false);
  registry.cut = true;
  await clock.advance(TTL_MS + 1_000);
  assert.notEqual(keeper.lease, null, "a renewal gives the new time");
});
