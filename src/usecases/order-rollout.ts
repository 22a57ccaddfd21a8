import type { RegistryKeys } from "../codec/registry-keys.ts";
import { encodeOrder } from "../codec/rollout-record.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import { isOrderFor } from "../domain/rollout/obey-order.ts";
import type { RolloutOrder, RolloutPhase, RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { NO_ROLLOUTS, rolloutOf } from "../domain/rollout/rollouts.ts";
import type { RandomId } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";

/** What becomes of each order where a rollout is in a phase that does not take it. */
const INSTEAD: Readonly<Record<RolloutPhase, string>> = {
  rolling: "it goes on as it is",
  done: "there is nothing left of it to stop or to go on with",
  paused: "fleet rollout resume lets it go on",
  held: "fleet rollout resume lets it go on in spite of what failed",
  aborted: "apply another commit",
  "rolling-back": "wait until everything is back, or apply another commit",
  "rolled-back": "its commit is not tried again: apply one that mends it",
};

/**
 * Tells the rollout of the release in force to stop, to go on or to end; the leading engine carries it out at its next look. Rejects with
 * `no-rollout` where there is none, `rollout-order` where its phase takes no such order, and `rollout-moved` where somebody else gave an
 * order, or a release, in the same moment. Answers the rollout as it was.
 */
export async function orderRollout(
  registry: Registry,
  keys: RegistryKeys,
  order: RolloutOrder,
  newId: RandomId,
): Promise<RolloutRecord> {
  const prefixes = [keys.release, keys.rollouts, `${keys.root}rollout-orders/`];
  const read = await registry.txn({
    when: [],
    then: prefixes.map((prefix) => ({ kind: "list", prefix, exact: prefix === keys.release }) as const),
  });
  const { snapshot } = snapshotFromEntries(keys, read.listings.flat(), read.revision);
  const record = rolloutOf(snapshot.rollouts, snapshot.release);
  if (snapshot.release === null || record === null) {
    throw new OperationError("no-rollout", "no engine has begun a rollout of the release in force", {
      next: "fleet status shows whether an engine leads",
    });
  }
  const { seq } = snapshot.release;
  if (!isOrderFor(order.order, record.phase)) {
    const what = `the rollout of release ${seq} is ${record.phase}, and cannot be told to ${order.order}`;
    throw new OperationError("rollout-order", what, { next: INSTEAD[record.phase] });
  }
  const { orders } = snapshot.rollouts ?? NO_ROLLOUTS;
  const key = keys.rolloutOrder(seq);
  const { succeeded } = await registry.txn({
    when: [
      { key: keys.release, target: "mod", is: "=", value: snapshot.releaseModRevision },
      { key, target: "mod", is: "=", value: orders.find((one) => one.seq === seq)?.revision ?? 0 },
    ],
    then: [{ kind: "put", key, value: encodeOrder(order, newId()) }],
  });
  if (succeeded) return record;
  throw new OperationError("rollout-moved", "somebody else gave an order or a release in the same moment", {
    next: "look at fleet status and say it again",
  });
}
