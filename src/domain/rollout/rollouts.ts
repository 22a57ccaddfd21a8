import type { Release } from "../cluster/cluster-snapshot.ts";
import type { GivenOrder } from "./judge-rollout.ts";
import type { ReleaseId, RolloutOrder, RolloutRecord } from "./rollout-record.ts";
import { isRolloutOf, startRollout } from "./start-rollout.ts";

/** What the registry says of rollouts. */
export interface Rollouts {
  /** Sorted by seq. */
  readonly records: readonly StoredRollout[];
  /** Sorted by seq. */
  readonly orders: readonly StoredOrder[];
}

export interface StoredRollout {
  readonly seq: number;
  /** Null: it cannot be read, and all that can be done with it is to write over it. */
  readonly record: RolloutRecord | null;
  readonly modRevision: number;
}

/** With who gave it, when and why, for people. */
export interface StoredOrder extends GivenOrder, Partial<Pick<RolloutOrder, "by" | "at" | "reason">> {
  readonly seq: number;
}

/** How many records stay: enough to see which of the last commits failed. */
export const RECORDS_KEPT = 20;

/** Of the release in force. */
export interface RolloutInForce {
  /** As it is stored, or as it begins. */
  readonly record: RolloutRecord;
  readonly isNew: boolean;
  /** What its next write compares; 0: there is no key. */
  readonly modRevision: number;
  readonly order: GivenOrder | null;
  /** Numbers whose records, and orders, are to go when a new one is written. */
  readonly outdated: readonly number[];
}

export function rolloutInForce(
  { records, orders }: Rollouts,
  release: Pick<Release, "seq" | "commit" | "specHash">,
  now: string,
): RolloutInForce {
  const stored = records.find(({ seq }) => seq === release.seq);
  const isOurs = stored?.record != null && isRolloutOf(stored.record, release);
  const earlier = records.filter(({ seq }) => seq < release.seq);
  const before = earlier.findLast(({ record }) => record !== null)?.record ?? null;
  const later = records.filter(({ seq }) => seq > release.seq);
  const outdated = [...earlier.slice(0, Math.max(0, earlier.length - RECORDS_KEPT + 1)), ...later];
  return {
    record: isOurs ? stored.record! : startRollout(release, before, now),
    isNew: !isOurs,
    modRevision: stored?.modRevision ?? 0,
    order: orders.find(({ seq }) => seq === release.seq) ?? null,
    outdated: outdated.map(({ seq }) => seq),
  };
}

/** The record of the release in force, or null where there is none. */
export function rolloutOf(
  rollouts: Rollouts | undefined,
  release: Pick<ReleaseId, "seq" | "commit"> | null,
): RolloutRecord | null {
  if (rollouts === undefined || release === null) return null;
  const record = rollouts.records.find(({ seq }) => seq === release.seq)?.record ?? null;
  return record !== null && isRolloutOf(record, release) ? record : null;
}

export const NO_ROLLOUTS: Rollouts = { records: [], orders: [] };
