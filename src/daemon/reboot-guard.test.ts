import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeGrant } from "../codec/lock-records.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { RebootReason } from "../domain/locks/judge-reason.ts";
import type { MachineId } from "../domain/names.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry, Txn } from "../ports/registry.ts";
import { LapseWatch } from "../usecases/lapse-watch.ts";
import { placeHold } from "../usecases/place-hold.ts";
import { readLock } from "../usecases/read-lock.ts";
import { takeLock } from "../usecases/take-lock.ts";
import { RebootGuard } from "./reboot-guard.ts";

const keys = registryKeys("prod");
const MACHINE = "1".repeat(32) as MachineId;
const OTHER = "2".repeat(32) as MachineId;
const MEMORY = "/var/lib/fleet/reboot-guard";
const KERNEL: RebootReason = { text: "a new kernel", mark: "1" };

/** One machine and its disk, across boots; whoever grants is the test. */
class World {
  readonly clock = new VirtualClock();
  readonly registry = new MvccRegistry(new MvccStore(), this.clock);
  readonly files = new MemoryFileStore();
  reason: RebootReason | null = KERNEL;
  boot = "boot-1";
  reboots = 0;
  reboot: () => Promise<void> = async () => {
    this.reboots += 1;
  };
  #ids = 0;

  readonly newId = () => `id${++this.#ids}`;

  async join(): Promise<void> {
    const member = { name: "m1", address: "", metadata: {}, version: "", joined: "", acceptedSeq: 0, problem: null };
    const value = encodeRecord({ ...member, bootId: this.boot });
    await this.registry.txn({ when: [], then: [{ kind: "put", key: keys.member(MACHINE), value }] });
  }

  guard(own: { registry?: Registry; files?: FileStore } = {}): RebootGuard {
    const { clock, newId, boot } = this;
    const host = { bootId: boot, reason: async () => this.reason, reboot: () => this.reboot() };
    return new RebootGuard(
      { machine: MACHINE, by: "guard", memoryPath: MEMORY, condition: () => undefined },
      { registry: this.registry, files: this.files, keys, clock, newId, host, log: () => undefined, ...own },
    );
  }

  async slot(holder: string = MACHINE) {
    return (await readLock(this.registry, keys, "reboot")).held.find((slot) => slot.holder === holder) ?? null;
  }

  async grant(slot?: string): Promise<void> {
    const id = slot ?? (await this.slot())!.id;
    const value = encodeGrant({ machine: MACHINE, slot: id, at: "", down: [] });
    await this.registry.txn({ when: [], then: [{ kind: "put", key: keys.grant(MACHINE), value }] });
  }
}

async function joined(): Promise<World> {
  const world = new World();
  await world.join();
  return world;
}

test("it takes a slot, waits for the grant, remembers what for, says that it goes, and restarts", async () => {
  const world = await joined();
  const guard = world.guard();
  assert.equal(await guard.step(), "waiting");
  assert.deepEqual(
    [world.reboots, (await world.slot())?.reason, (await world.slot())?.boot],
    [0, "a new kernel", "boot-1"],
  );
  await world.grant();
  world.reboot = async () => {
    world.reboots += 1;
    assert.equal((await world.slot())?.going, true, "said before");
    assert.match((await world.files.read(MEMORY)) ?? "", /boot-1/, "remembered before");
  };
  assert.equal(await guard.step(), "rebooting");
  assert.equal(world.reboots, 1);
});

test("a grant for another slot is none", async () => {
  const world = await joined();
  const guard = world.guard();
  await guard.step();
  await world.grant("another");
  assert.equal(await guard.step(), "waiting");
  assert.equal(world.reboots, 0);
});

test("a grant that is withdrawn in the moment in which it wants to go keeps it", async () => {
  const world = await joined();
  await world.guard().step();
  await world.grant();
  const withdrawing = new Proxy<Registry>(world.registry, {
    get(target, name) {
      if (name !== "txn") return (target[name as keyof Registry] as () => unknown).bind(target);
      return async (txn: Txn) => {
        const goes = txn.when.some(({ key }) => key === keys.grant(MACHINE));
        if (goes) await target.txn({ when: [], then: [{ kind: "delete", key: keys.grant(MACHINE) }] });
        return target.txn(txn);
      };
    },
  });
  assert.equal(await world.guard({ registry: withdrawing }).step(), "waiting");
  assert.deepEqual([world.reboots, (await world.slot())?.going], [0, undefined]);
});

test("without a disk that remembers, it does not go", async () => {
  const world = await joined();
  await world.guard().step();
  await world.grant();
  const full = new Proxy<FileStore>(world.files, {
    get(target, name) {
      if (name === "write") return () => Promise.reject(new OperationError("disk-full", "no room"));
      return (target[name as keyof FileStore] as () => unknown).bind(target);
    },
  });
  await assert.rejects(world.guard({ files: full }).step(), { code: "disk-full" });
  assert.deepEqual([world.reboots, (await world.slot())?.going], [0, undefined]);
});

test("one that died before it asked systemd goes on, and needs no other grant", async () => {
  const world = await joined();
  await world.guard().step();
  await world.grant();
  world.reboot = () => Promise.reject(new OperationError("systemd-unreachable", "no bus"));
  await assert.rejects(world.guard().step(), { code: "systemd-unreachable" });
  world.reboot = async () => {
    world.reboots += 1;
  };
  assert.equal(await world.guard().step(), "rebooting");
  assert.equal(world.reboots, 1);
});

test("after the restart it leaves its slot to the engine, and a reason that is still there asks for no other", async () => {
  const world = await joined();
  await world.guard().step();
  await world.grant();
  await world.guard().step();
  world.boot = "boot-2";
  await world.join();
  assert.equal(await world.guard().step(), "left");
  assert.equal((await world.slot())?.boot, "boot-1");
  world.reason = null;
  assert.equal(await world.guard().step(), "none");
  world.reason = { text: "another kernel", mark: "2" };
  assert.equal(await world.guard().step(), "waiting", "the slot before is not back");
  assert.equal((await world.slot())?.boot, "boot-1");
});

test("what has no reason any more leaves slot and line to others", async () => {
  const world = await joined();
  const guard = world.guard();
  await guard.step();
  world.reason = null;
  assert.equal(await guard.step(), "none");
  assert.equal(await world.slot(), null);
  const { registry, clock, newId } = world;
  const wish = { name: "reboot", holder: OTHER, by: "", reason: "", slots: 1, forMs: 900_000, queues: false };
  await takeLock({ registry, keys, clock, newId }, wish, new LapseWatch(clock));
  world.reason = KERNEL;
  assert.equal(await guard.step(), "waiting");
  const waiting = async () => (await readLock(registry, keys, "reboot")).waiting.map(({ holder }) => holder);
  assert.deepEqual(await waiting(), [MACHINE]);
  world.reason = null;
  await world.guard().step();
  assert.deepEqual(await waiting(), [], "also by another life of it");
});

test("a slot that waits for its grant for long is renewed", async () => {
  const world = await joined();
  const guard = world.guard();
  const watch = new LapseWatch(world.clock);
  for (let minute = 0; minute < 60; minute++) {
    await guard.step();
    const slot = (await world.slot())!;
    watch.look("reboot", [slot], []);
    assert.ok(!watch.isLapsed("reboot", slot), `minute ${minute}`);
    await world.clock.advance(60_000);
  }
});

test("a machine that is held does not restart", async () => {
  const world = await joined();
  const guard = world.guard();
  await guard.step();
  await world.grant();
  const hold = { scope: { kind: "machine", machine: MACHINE }, reason: "", by: "", at: "", forMs: 60_000 } as const;
  await placeHold(world.registry, keys, hold, world.newId);
  assert.equal(await guard.step(), "waiting");
  assert.equal(world.reboots, 0);
});

test("before its agent has told of this boot it takes nothing", async () => {
  const world = await joined();
  world.boot = "boot-2";
  assert.equal(await world.guard().step(), "waiting");
  assert.equal(await world.slot(), null);
});
