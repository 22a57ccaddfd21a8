import type { RolloutRecord } from "./rollout-record.ts";

/** How much of a soak time may be lost with a leader, at least. Milliseconds. */
const CHECKPOINT_MS = 60_000;
/** Of longer ones this share: two days of soaking are fifty writes, and a change of leaders costs an hour at most. */
const CHECKPOINT_SHARE = 50;

/**
 * Whether a record must be written before anything is done by it: it says something else than the one that is stored, or its durations have
 * grown by so much that losing them would be felt. One that begins anew is written at once: a next leader would go on from the old one.
 * `longestMs`: the longest soak or bake time there is.
 */
export function isCheckpoint(stored: RolloutRecord, next: RolloutRecord, longestMs: number): boolean {
  if (!isSameBut(stored, next)) return true;
  const stepMs = Math.max(CHECKPOINT_MS, longestMs / CHECKPOINT_SHARE);
  const isFar = (before: number, now: number) => now < before || now - before >= stepMs;
  const known = new Map(stored.bakes.map(({ set, healthyForMs }) => [set, healthyForMs]));
  return (
    isFar(stored.soakedMs, next.soakedMs) ||
    next.bakes.some(({ set, healthyForMs }) => isFar(known.get(set) ?? 0, healthyForMs)) ||
    stored.bakes.some(({ set, healthyForMs }) => healthyForMs > 0 && !next.bakes.some((bake) => bake.set === set))
  );
}

function isSameBut(a: RolloutRecord, b: RolloutRecord): boolean {
  return (
    a.phase === b.phase &&
    a.openRings === b.openRings &&
    a.orderRevision === b.orderRevision &&
    a.failures.length === b.failures.length &&
    (a.excused?.length ?? 0) === (b.excused?.length ?? 0) &&
    a.noWayBack === b.noWayBack
  );
}
