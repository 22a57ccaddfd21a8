import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { NO_MEMORY } from "../codec/loss-record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { LossMemory } from "../domain/loss/loss-memory.ts";
import type { MachineId } from "../domain/names.ts";
import { campaign, isLedBy } from "./campaign.ts";
import { keepLosses, readLosses } from "./keep-losses.ts";

const keys = registryKeys("prod");
const MEMORY: LossMemory = { spent: [{ machine: "1".repeat(32) as MachineId, units: 2, agoMs: 0 }], flaps: [] };

async function world() {
  const registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  const lead = async (operation: string) => {
    const lease = await registry.grantLease(10_000);
    const leadership = (await campaign(registry, keys, "m1", lease, () => operation))!;
    return { lease, leads: isLedBy(keys, leadership) };
  };
  return { registry, lead };
}

test("the next leader knows what the one before has kept, and the key is gone when there is nothing left", async () => {
  const { registry, lead } = await world();
  assert.deepEqual(await readLosses(registry, keys), NO_MEMORY);
  const first = await lead("a");
  assert.equal(await keepLosses(registry, keys, first.leads, MEMORY), true);
  await registry.revokeLease(first.lease);
  const second = await lead("b");
  assert.deepEqual(await readLosses(registry, keys), MEMORY);
  assert.equal(await keepLosses(registry, keys, second.leads, NO_MEMORY), true);
  assert.deepEqual((await registry.list(keys.losses, { exact: true })).entries, []);
});

test("who leads no more writes nothing over what the next leader keeps", async () => {
  const { registry, lead } = await world();
  const first = await lead("a");
  await registry.revokeLease(first.lease);
  const second = await lead("b");
  await keepLosses(registry, keys, second.leads, MEMORY);
  assert.equal(await keepLosses(registry, keys, first.leads, NO_MEMORY), false);
  assert.deepEqual(await readLosses(registry, keys), MEMORY);
});
