import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { encodeHold, holdKey } from "../codec/hold-record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { type Hold, OWN_HOLDS_MAX } from "../domain/cluster/hold.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Entry } from "../ports/registry.ts";
import { HoldMemory } from "../usecases/hold-memory.ts";
import { HoldWatch } from "./hold-watch.ts";

const keys = registryKeys("home");
const M1 = "1".repeat(32) as MachineId;
const hold: Hold = { scope: { kind: "cluster" }, reason: "", by: "ada", at: "", forMs: 60_000 };
const onWeb: Hold = { ...hold, scope: { kind: "unit", unit: "web.service" as UnitName }, forMs: 600_000 };
const ownOnWeb: Hold = { ...onWeb, placedAt: M1 };

/** Of the disk in memory: made, written, renamed. */
const STEPS_OF_A_WRITE = 3;

test("while the registry is there, it alone says what is held", async () => {
  const { clock, watch } = world();
  assert.deepEqual(watch.current([entry(1)], true), [hold]);
  await clock.advance(120_000);
  assert.deepEqual(watch.current([entry(1)], true), [hold], "its own lease ends it, not our clock");
  assert.deepEqual(watch.current([], true), []);
});

test("without the registry a hold goes on, and ends by its own time", async () => {
  const { clock, watch } = world();
  watch.current([entry(1)], true);
  await clock.advance(59_000);
  assert.deepEqual(watch.current([entry(1)], false), [hold]);
  await clock.advance(2_000);
  assert.deepEqual(watch.current([entry(1)], false), []);
});

test("one that is placed anew runs anew", async () => {
  const { clock, watch } = world();
  watch.current([entry(1)], true);
  await clock.advance(50_000);
  watch.current([entry(2)], true);
  await clock.advance(50_000);
  assert.deepEqual(watch.current([entry(2)], false), [hold]);
});

test("other keys and what cannot be read hold nothing", () => {
  const { watch } = world();
  const others = [
    { ...entry(1), key: keys.release },
    { ...entry(1), value: "no" },
  ];
  assert.deepEqual(watch.current(others, true), []);
});

test("an agent that starts while the registry is away goes on with the holds the one before it saw", async () => {
  const before = world();
  before.watch.current([entry(1)], true);
  await before.watch.note();
  await before.clock.advance(30_000);
  const { clock, watch } = await before.restarted();
  assert.deepEqual(watch.current(null, false), [hold]);
  await clock.advance(61_000);
  assert.deepEqual(watch.current(null, false), [], "by its own time, counted from when it was noted");
});

test("one that was ended while no agent ran is over as soon as the registry says so", async () => {
  const before = world();
  before.watch.current([entry(1)], true);
  await before.watch.note();
  const { watch, disk, memory } = await before.restarted();
  assert.deepEqual(watch.current([], true), []);
  await watch.note();
  assert.deepEqual(await memory.read(), []);
  assert.deepEqual(await disk.list("/state"), [], "no file where nothing is held");
});

test("what is placed at the machine counts at once, whatever the registry says, and ends by itself", async () => {
  const { clock, watch, woken } = world();
  await watch.place(onWeb);
  assert.equal(woken(), 1);
  assert.deepEqual(watch.current(null, false), [ownOnWeb]);
  assert.deepEqual(watch.current([entry(1)], true), [hold, ownOnWeb]);
  assert.deepEqual(watch.told().holds?.length, 1, "everybody is told, and of this one only");
  await clock.advance(600_000);
  assert.deepEqual(watch.current([entry(1)], true), [hold]);
  assert.deepEqual(watch.told(), {});
});

test("it survives the agent, with what was left of it a minute ago at most", async () => {
  const before = world();
  await before.watch.place(onWeb);
  for (let passed = 0; passed < 300_000; passed += 5_000) {
    await before.clock.advance(5_000);
    before.watch.current(null, false);
    await before.watch.note();
  }
  const { clock, watch } = await before.restarted();
  assert.deepEqual(watch.current(null, false), [ownOnWeb]);
  await clock.advance(299_000);
  assert.deepEqual(watch.current(null, false), [ownOnWeb], "never shorter than asked");
  await clock.advance(62_000);
  assert.deepEqual(watch.current(null, false), []);
});

test("whoever asks before the agent has begun loses nothing of what was held before", async () => {
  const before = world();
  await before.watch.place(onWeb);
  const { watch, memory } = world(before.disk);
  await watch.place({ ...onWeb, scope: { kind: "machine", machine: M1 } });
  assert.equal(watch.own().length, 2);
  assert.equal((await memory.read()).length, 2);
});

test("it can be ended by hand, once, and a restart does not bring it back", async () => {
  const before = world();
  await before.watch.place(onWeb);
  assert.equal(await before.watch.end(onWeb.scope), true);
  assert.equal(await before.watch.end(onWeb.scope), false);
  const { watch } = await before.restarted();
  assert.deepEqual(watch.own(), []);
});

test("a disk that does not take it is an error, and the hold is in force; a later pass writes it down", async () => {
  const { watch, disk, memory } = world();
  disk.fault = "disk-full";
  await assert.rejects(watch.place(onWeb), { code: "disk-full" });
  assert.deepEqual(watch.current(null, false), [ownOnWeb]);
  disk.fault = null;
  await watch.note();
  assert.equal((await memory.read()).length, 1);
});

test("while something is held the disk is written once a minute, and never where nothing is", async () => {
  const { clock, watch, writes } = world();
  await watch.note();
  assert.equal(writes(), 0);
  await watch.place(onWeb);
  for (let passed = 0; passed < 120_000; passed += 5_000) {
    await clock.advance(5_000);
    await watch.note();
  }
  assert.equal(writes(), 3);
});

test("there is a limit to a machine's own holds; one that is placed again counts once", async () => {
  const { watch } = world();
  const one = (index: number): Hold => ({ ...hold, scope: { kind: "unit", unit: `u${index}.service` as UnitName } });
  for (let index = 0; index < OWN_HOLDS_MAX; index++) await watch.place(one(index));
  await watch.place(one(0));
  await assert.rejects(watch.place(one(OWN_HOLDS_MAX)), { code: "too-many-holds" });
});

test("a file that is damaged, or says more than it may, is taken for what can be read of it", async () => {
  for (const text of ["", "null", "{}", '{"v":1,"holds":[{"id":"own x"},7]}', '{"v":99,"holds":[]}']) {
    const { disk, restarted } = world();
    await disk.write("/state/holds.json", text);
    assert.deepEqual((await restarted()).watch.current(null, false), []);
  }
  const { disk, restarted } = world();
  const forEver = { id: "own unit/web.service", scope: "unit/web.service", leftMs: 1e12, placedAt: M1 };
  const kept = { ...forEver, reason: "", by: "ada", at: "", forMs: 1e12 };
  await disk.write("/state/holds.json", JSON.stringify({ v: 1, holds: [kept] }));
  const { clock, watch } = await restarted();
  assert.equal(watch.own().length, 1);
  await clock.advance(8 * 24 * 3_600_000);
  assert.deepEqual(watch.own(), []);
});

function world(disk = new MemoryFileStore()) {
  const clock = new VirtualClock();
  const memory = new HoldMemory(disk, "/state");
  let wakes = 0;
  const watch = new HoldWatch(M1, keys, { memory, clock, wake: () => wakes++ });
  const restarted = async () => {
    const next = world(disk);
    await next.watch.recall();
    return next;
  };
  return { clock, disk, memory, watch, restarted, woken: () => wakes, writes: () => disk.steps / STEPS_OF_A_WRITE };
}

function entry(modRevision: number): Entry {
  const value = encodeHold(hold, "op");
  return { key: holdKey(keys, hold), value, createRevision: 1, modRevision, version: 1, lease: "1" };
}
