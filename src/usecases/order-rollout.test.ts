import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { decodeRollout, encodeRollout } from "../codec/rollout-record.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import type { RolloutOrder, RolloutPhase, RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { RECORDS_KEPT, rolloutInForce } from "../domain/rollout/rollouts.ts";
import { startRollout } from "../domain/rollout/start-rollout.ts";
import { orderRollout } from "./order-rollout.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { writeRollout } from "./write-rollout.ts";

const KEYS = registryKeys("prod");
const RELEASE = {
  ...{ seq: 3, commit: "c".repeat(40) as CommitId, specHash: "s" as SpecHash, contentId: "", planId: "" },
  ...{ parent: null, by: "", at: "", op: "" },
};
const record = (phase: RolloutPhase): RolloutRecord => ({ ...startRollout(RELEASE, null, "then"), phase });

/** A registry with the release in force, a leader, and what is said of rollouts. */
async function world(phase: RolloutPhase | null) {
  const registry = new MvccRegistry(new MvccStore(), new VirtualClock());
  const put = (key: string, value: string) =>
    registry.txn({ when: [], then: [{ kind: "put", key, value }] }).then(({ revision }) => revision);
  const releaseModRevision = await put(KEYS.release, encodeRecord(RELEASE));
  await put(KEYS.leader, "me");
  const modRevision = phase === null ? 0 : await put(KEYS.rollout(3), encodeRollout(record(phase)));
  const order = (order: RolloutOrder["order"]) =>
    orderRollout(registry, KEYS, { order, by: "ann", at: "now" }, () => "op");
  const inForce = async () => {
    const { snapshot } = await readSnapshot(registry, KEYS);
    return rolloutInForce(snapshot.rollouts!, RELEASE, "now");
  };
  const fence = { leader: { key: KEYS.leader, target: "value", is: "=", value: "me" }, releaseModRevision } as const;
  return { registry, put, order, inForce, fence, modRevision };
}

test("an order is there for the engine, and each one is newer than the one before", async () => {
  const { order, inForce } = await world("rolling");
  assert.equal((await order("pause")).phase, "rolling");
  const first = (await inForce()).order;
  await order("abort");
  const second = (await inForce()).order;
  assert.deepEqual([first?.order, second?.order], ["pause", "abort"]);
  assert.ok(second!.revision > first!.revision);
});

test("an order that the phase does not take is refused, with what to do instead", async () => {
  for (const [phase, orders] of Object.entries({
    rolling: ["resume"],
    done: ["pause", "resume", "abort"],
    "rolled-back": ["pause", "resume", "abort"],
    "rolling-back": ["pause", "resume", "abort"],
    aborted: ["pause", "resume", "abort"],
    held: ["pause"],
    paused: ["pause"],
  } as const)) {
    for (const order of orders)
      await assert.rejects((await world(phase as RolloutPhase)).order(order), { code: "rollout-order" }, phase);
  }
  await assert.rejects((await world(null)).order("pause"), { code: "no-rollout" });
});

test("a record is written by the leader, for the release in force, on what was read, and by nobody else", async () => {
  const next = { ...record("held"), failures: [] };
  const { registry, fence, modRevision, inForce, put } = await world("rolling");
  assert.notEqual(await writeRollout(registry, KEYS, fence, next, modRevision, []), null);
  assert.equal((await inForce()).record.phase, "held");
  assert.equal(await writeRollout(registry, KEYS, fence, next, modRevision, []), null, "the record is another by now");
  const { modRevision: now } = await inForce();
  const late = { ...fence, releaseModRevision: fence.releaseModRevision - 1 };
  assert.equal(await writeRollout(registry, KEYS, late, next, now, []), null, "another release is in force");
  await put(KEYS.leader, "somebody else");
  assert.equal(await writeRollout(registry, KEYS, fence, next, now, []), null, "another leads");
});

test("a new record takes the oldest away, with their orders, and the base is the last release that ended well", async () => {
  const { registry, fence, put, inForce } = await world(null);
  for (const seq of [1, 2]) {
    const release = { ...RELEASE, seq, commit: `${seq}`.repeat(40) as CommitId };
    await put(KEYS.rollout(seq), encodeRollout({ ...startRollout(release, null, ""), phase: "done" }));
  }
  await put(KEYS.rollout(9), encodeRollout({ ...record("done"), release: { ...RELEASE, seq: 9 } }));
  await put(KEYS.rolloutOrder(9), encodeRecord({ order: "pause", by: "", at: "" }));
  const found = await inForce();
  assert.deepEqual([found.isNew, found.record.base?.seq, found.outdated], [true, 2, [9]]);
  await writeRollout(registry, KEYS, fence, found.record, 0, found.outdated);
  const { snapshot } = await readSnapshot(registry, KEYS);
  assert.deepEqual(
    snapshot.rollouts?.records.map(({ seq }) => seq),
    [1, 2, 3],
  );
  assert.deepEqual(snapshot.rollouts?.orders, []);
  const many = Array.from({ length: 30 }, (_, index) => ({ seq: index + 1, record: null, modRevision: 1 }));
  const next = rolloutInForce({ records: many, orders: [] }, { ...RELEASE, seq: 31 }, "");
  assert.equal(many.length - next.outdated.length + 1, RECORDS_KEPT);
});

test("a record that is damaged is none, and what is damaged in its lists is left out", () => {
  const good = { ...record("held"), failures: [{ unit: "a", machine: "m", because: { code: "failed", detail: "x" } }] };
  const read = (changes: object) => decodeRollout(encodeRecord({ ...good, ...changes }));
  assert.equal(read({}).kind, "record");
  for (const changes of [
    { release: null },
    { release: { seq: 3 } },
    { base: { seq: "2" } },
    { phase: "done-ish" },
    { openRings: "1" },
    { failures: "none" },
  ])
    assert.equal(read(changes).kind, "garbage", JSON.stringify(changes));
  const decoded = read({ failures: [{ unit: "a" }, ...good.failures], bakes: [{}], excused: [{ unit: 1 }] });
  assert.ok(decoded.kind === "record");
  assert.deepEqual([decoded.record.failures.length, decoded.record.bakes, decoded.record.excused], [1, [], []]);
});
