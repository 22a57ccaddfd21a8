import type { Clock } from "../../ports/clock.ts";
import type { MvccStore } from "./mvcc-store.ts";

/** Statuses of a busy machine are some thousand writes an hour: a few megabytes. */
const COMPACT_MS = 3_600_000;

/** Forgets the past of a store nobody else reads, until the signal aborts: a machine runs for years. Who is behind reads all anew. */
export async function keepCompact(store: MvccStore, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(COMPACT_MS, signal);
    if (store.revision > store.compactedRevision) store.compact(store.revision);
  }
}
