import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Registry, Txn } from "../ports/registry.ts";
import { campaign, isLedBy, type Leadership } from "./campaign.ts";

const keys = registryKeys("prod");
let operations = 0;
const newOperation = () => `op${++operations}`;

async function world() {
  const registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  const [mine, theirs] = [await registry.grantLease(10_000), await registry.grantLease(10_000)];
  const run = (lease: string, through: Registry = registry) => campaign(through, keys, "m1", lease, newOperation);
  const shown = async () => {
    const [entry] = (await registry.list(keys.leader)).entries;
    return entry === undefined ? null : { record: entry.value, createRevision: entry.createRevision };
  };
  return { registry, mine, theirs, run, shown };
}

test("who comes first leads, with a fence that is the leader key's own; the other does not", async () => {
  const { mine, theirs, run, shown } = await world();
  const leadership = await run(mine);
  assert.deepEqual(leadership, { term: 1, record: (await shown())?.record });
  assert.equal(await run(theirs), null);
});

test("of two at once one leads", async () => {
  const { mine, theirs, run } = await world();
  const both = await Promise.all([run(mine), run(theirs)]);
  assert.equal(both.filter((one) => one !== null).length, 1);
});

test("the term rises with every leader, and the fence is another", async () => {
  const { registry, mine, theirs, run } = await world();
  const first = await run(mine);
  await registry.revokeLease(mine);
  const second = await run(theirs);
  assert.equal(second?.term, 2);
  assert.notEqual(second.record, first!.record);
});

test("the fence of one life of a registry does not hold in another, though the numbers are the same", async () => {
  const [before, after] = [await world(), await world()];
  const first = await before.run(before.mine);
  const second = await after.run(after.mine);
  const revisions = [await before.shown(), await after.shown()].map((one) => one?.createRevision);
  assert.deepEqual(revisions, [2, 2], "revisions begin anew");
  const write = (leadership: Leadership) =>
    after.registry.txn({ when: [isLedBy(keys, leadership)], then: [{ kind: "put", key: keys.term, value: "{}" }] });
  assert.equal((await write(first!)).succeeded, false);
  assert.equal((await write(second!)).succeeded, true);
});

test("a leader key that hangs on our own lease is ours again, with the same fence", async () => {
  const { mine, run } = await world();
  const first = await run(mine);
  assert.deepEqual(await run(mine), first);
});

test("a lost reply is settled by looking: ours if it was applied, nobody's if not", async () => {
  for (const sent of [true, false]) {
    const { registry, mine, run, shown } = await world();
    const lossy = {
      list: registry.list.bind(registry),
      txn: async (txn: Txn) => {
        if (txn.when.length === 0) return registry.txn(txn);
        if (sent) await registry.txn(txn);
        throw new UnknownResultError("reply-lost", "the reply was lost");
      },
    } as Registry;
    const leadership = await run(mine, lossy);
    assert.equal(leadership?.term, sent ? 1 : undefined);
    assert.deepEqual(await shown(), sent ? { record: leadership?.record, createRevision: 2 } : null);
  }
});

test("a lease that has ended leads nobody, and is said", async () => {
  const { registry, mine, run, shown } = await world();
  await registry.revokeLease(mine);
  await assert.rejects(run(mine), OperationError);
  assert.equal(await shown(), null);
});
