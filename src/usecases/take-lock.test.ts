import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyRegistry, NO_FAULTS } from "../adapters/memory/faulty-registry.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { WAITER_GONE_MS } from "../domain/locks/lock.ts";
import type { Registry } from "../ports/registry.ts";
import { Random } from "../sim/random.ts";
import { LapseWatch } from "./lapse-watch.ts";
import { readLock } from "./read-lock.ts";
import { releaseLock } from "./release-lock.ts";
import { type LockAnswer, type LockWish, takeLock } from "./take-lock.ts";

const keys = registryKeys("prod");
const NAME = "reboot";

function newWorld() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  let ids = 0;
  const newId = () => `id${++ids}`;
  const ports = (own: Registry = registry) => ({ registry: own, keys, clock, newId });
  return { clock, registry, newId, ports, watch: new LapseWatch(clock) };
}
type World = ReturnType<typeof newWorld>;

const wish = (holder: string, changes: Partial<LockWish> = {}): LockWish => ({
  ...{ name: NAME, holder, by: "ann", reason: "why not", slots: 2, forMs: 60_000, queues: false },
  ...changes,
});
const take = (world: World, holder: string, changes: Partial<LockWish> = {}, watch = world.watch) =>
  takeLock(world.ports(), wish(holder, changes), watch);
const holders = async (world: World) => (await readLock(world.registry, keys, NAME)).held.map(({ holder }) => holder);
const waiting = async (world: World) =>
  (await readLock(world.registry, keys, NAME)).waiting.map(({ holder }) => holder);

test("as many hold it as it has slots, and who comes later is told who they are", async () => {
  const world = newWorld();
  assert.equal((await take(world, "a")).kind, "held");
  assert.equal((await take(world, "b")).kind, "held");
  const third = await take(world, "c");
  assert.equal(third.kind, "waiting");
  assert.deepEqual(third.kind === "waiting" && third.by.map(({ holder, by }) => [holder, by]), [
    ["a", "ann"],
    ["b", "ann"],
  ]);
});

test("who takes what it holds has it for longer, and it stays the same slot", async () => {
  const world = newWorld();
  const first = await take(world, "a");
  await world.clock.advance(40_000);
  const again = await take(world, "a");
  assert.ok(first.kind === "held" && again.kind === "held");
  assert.deepEqual([again.slot.id, again.slot.since], [first.slot.id, first.slot.since]);
  assert.equal(Date.parse(again.slot.deadline) - Date.parse(first.slot.deadline), 40_000);
  assert.deepEqual(await holders(world), ["a"]);
});

test("giving back what one does not hold changes nothing, and says so", async () => {
  const world = newWorld();
  await take(world, "a");
  assert.deepEqual(await releaseLock(world.ports(), NAME, "b"), { slot: null, waiter: null });
  assert.deepEqual(await releaseLock(world.ports(), NAME, "a", "another-id"), { slot: null, waiter: null });
  assert.deepEqual(await holders(world), ["a"]);
  assert.equal((await releaseLock(world.ports(), NAME, "a")).slot?.holder, "a");
  assert.deepEqual(await holders(world), []);
});

test("twenty at once on a registry that loses requests and replies: never more hold it than it has slots, and each gets it", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const world = newWorld();
    const random = new Random(seed);
    let most = 0;
    let served = 0;
    const slots = 3;
    const look = async () => {
      const here = (await holders(world)).length;
      most = Math.max(most, here);
    };
    const taker = async (holder: string): Promise<void> => {
      const own = new FaultyRegistry(world.registry, world.clock, () => random.next());
      own.faults = { ...NO_FAULTS, dropRequest: 0.1, dropReply: 0.2, lateRequest: 0.2, delayMs: 50 };
      const watch = new LapseWatch(world.clock);
      const trying = async <T>(act: () => Promise<T>): Promise<T> => {
        for (;;) {
          try {
            return await act();
          } catch {
            await world.clock.sleep(random.between(10, 300)); // A read that was lost; the same again.
          }
        }
      };
      for (;;) {
        const mine = wish(holder, { slots, queues: true, forMs: 10_000_000 });
        const answer: LockAnswer = await trying(() => takeLock(world.ports(own), mine, watch));
        await look();
        if (answer.kind === "held") break;
        await world.clock.sleep(random.between(50, 500));
      }
      await world.clock.sleep(random.between(10, 2_000));
      assert.ok((await holders(world)).includes(holder), `${holder} still has it`);
      served += 1;
      await trying(() => releaseLock(world.ports(own), NAME, holder));
    };
    let done = false;
    void Promise.all(Array.from({ length: 20 }, (_, index) => taker(`m${index}`))).then(() => {
      done = true;
    });
    await world.clock.runUntil(() => done, 3_600_000);
    await world.clock.advance(60_000);
    await look();
    assert.equal(served, 20, `seed ${seed}`);
    assert.equal(most, slots, `seed ${seed}: all slots were used, and no more`);
    assert.deepEqual(await holders(world), [], `seed ${seed}: no late request takes it again`);
  }
});

test("whoever waited longer comes first, also when somebody asks at the moment a slot is free", async () => {
  const world = newWorld();
  const one = { slots: 1, queues: true };
  await take(world, "a", one);
  await take(world, "b", one);
  await take(world, "c", one);
  assert.deepEqual(await waiting(world), ["b", "c"]);
  await releaseLock(world.ports(), NAME, "a");
  assert.deepEqual(await take(world, "c", one), { kind: "waiting", by: [], ahead: 1 });
  assert.deepEqual(await take(world, "d", one), { kind: "waiting", by: [], ahead: 2 });
  assert.equal((await take(world, "b", one)).kind, "held");
  assert.deepEqual(await waiting(world), ["c", "d"]);
});

test("one that died in the line is passed by those who have not heard of it for long enough", async () => {
  const world = newWorld();
  const one = { slots: 1, queues: true };
  await take(world, "a", one);
  await take(world, "dead", one);
  await take(world, "c", one);
  await releaseLock(world.ports(), NAME, "a");
  await world.clock.advance(WAITER_GONE_MS - 1);
  assert.equal((await take(world, "c", one)).kind, "waiting");
  await world.clock.advance(1);
  assert.equal((await take(world, "c", one)).kind, "held");
});

test("one that says that it waits is not passed", async () => {
  const world = newWorld();
  const one = { slots: 1, queues: true };
  await take(world, "a", one);
  await take(world, "slow", one);
  await take(world, "c", one);
  await releaseLock(world.ports(), NAME, "a");
  await world.clock.advance(WAITER_GONE_MS / 2);
  assert.equal((await take(world, "x", { slots: 0 })).kind, "waiting");
  await takeLock(world.ports(), wish("slow", { slots: 0, queues: true, beats: true }), world.watch);
  await world.clock.advance(WAITER_GONE_MS / 2);
  assert.equal((await take(world, "c", one)).kind, "waiting");
});

test("a slot ends where somebody saw the same renewal for as long as it was to last, whatever the holder's clock says", async () => {
  for (const offsetMs of [0, -10 * 365 * 86_400_000, 10 * 365 * 86_400_000]) {
    const world = newWorld();
    const clock = world.clock.clockFor({ offsetMs });
    await takeLock({ ...world.ports(), clock }, wish("wrong", { slots: 1 }), new LapseWatch(clock));
    assert.equal((await take(world, "b", { slots: 1 })).kind, "waiting", "it is not gone at once");
    await world.clock.advance(59_000);
    assert.equal((await take(world, "b", { slots: 1 })).kind, "waiting");
    assert.equal((await take(world, "b", { slots: 1 }, new LapseWatch(world.clock))).kind, "waiting", "seen only once");
    await world.clock.advance(1_000);
    assert.equal((await take(world, "b", { slots: 1 })).kind, "held", "nor held for ever");
    assert.deepEqual(await holders(world), ["b"]);
  }
});

test("one that renews in time keeps its slot", async () => {
  const world = newWorld();
  const other = new LapseWatch(world.clock);
  await take(world, "a", { slots: 1 });
  for (let turn = 0; turn < 5; turn++) {
    assert.equal((await take(world, "b", { slots: 1 }, other)).kind, "waiting");
    await world.clock.advance(50_000);
    await take(world, "a", { slots: 1 });
  }
});

test("a record that nobody can read holds its slot, for as long as the longest", async () => {
  const world = newWorld();
  await world.registry.txn({ when: [], then: [{ kind: "put", key: keys.lock(NAME, "x"), value: "{" }] });
  assert.equal((await take(world, "b", { slots: 1 })).kind, "waiting");
  await world.clock.advance(900_000);
  assert.equal((await take(world, "b", { slots: 1 })).kind, "held");
  assert.deepEqual(await holders(world), ["b"]);
});
