import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { encodeHold, holdKey } from "../codec/hold-record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import type { Entry } from "../ports/registry.ts";
import { HoldWatch } from "./hold-watch.ts";

const keys = registryKeys("home");
const hold: Hold = { scope: { kind: "cluster" }, reason: "", by: "ada", at: "", forMs: 60_000 };

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

function world() {
  const clock = new VirtualClock();
  return { clock, watch: new HoldWatch(keys, clock) };
}

function entry(modRevision: number): Entry {
  const value = encodeHold(hold, "op");
  return { key: holdKey(keys, hold), value, createRevision: 1, modRevision, version: 1, lease: "1" };
}
