import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import { endHold, placeHold } from "./place-hold.ts";
import { readHolds } from "./read-holds.ts";

const keys = registryKeys("home");
const hold: Hold = {
  scope: { kind: "cluster" },
  reason: "cabling",
  by: "ada",
  at: "2026-11-21T10:00:00Z",
  forMs: 60_000,
};
let ids = 0;
const newId = () => String(++ids);

test("a hold stands as it was placed, under a lease of its own length", async () => {
  const { registry, shown } = world();
  await placeHold(registry, keys, hold, newId);
  assert.deepEqual(await shown(), [hold]);
  const [entry] = (await registry.list(keys.holds)).entries;
  assert.notEqual(entry!.lease, null);
});

test("a second word on the same scope replaces the first", async () => {
  const { registry, shown } = world();
  await placeHold(registry, keys, hold, newId);
  await placeHold(registry, keys, { ...hold, reason: "still cabling" }, newId);
  assert.deepEqual(
    (await shown()).map((one) => one.reason),
    ["still cabling"],
  );
});

test("it can be ended, once", async () => {
  const { registry, shown } = world();
  await placeHold(registry, keys, hold, newId);
  assert.equal(await endHold(registry, keys, hold.scope), true);
  assert.deepEqual(await shown(), []);
  assert.equal(await endHold(registry, keys, hold.scope), false);
});

test("a record nobody can read holds nothing", async () => {
  const { registry, shown } = world();
  await registry.txn({ when: [], then: [{ kind: "put", key: `${keys.holds}cluster`, value: "stop!" }] });
  await registry.txn({ when: [], then: [{ kind: "put", key: `${keys.holds}unit/..`, value: "{}" }] });
  assert.deepEqual(await shown(), []);
});

function world() {
  const registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  const shown = () => readHolds(registry, keys, []);
  return { registry, shown };
}
