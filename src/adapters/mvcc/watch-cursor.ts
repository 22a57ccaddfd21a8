import { type ByteRange, isInRange } from "./byte-range.ts";
import { isDeletion, type KeyVersion } from "./key-history.ts";
import type { MvccStore } from "./mvcc-store.ts";

/** A batch ends with the revision that reaches either: it must arrive whole before a watcher can count it as seen. */
const BATCH_EVENTS_MAX = 1000;
const BATCH_BYTES_MAX = 1 << 20;

export interface WatchFilters {
  readonly puts: boolean;
  readonly deletes: boolean;
}

export type WatchStep =
  /** All events of whole revisions, never none. */
  | { readonly kind: "events"; readonly events: readonly KeyVersion[] }
  /** Nothing up to and including the revision asked for. */
  | { readonly kind: "idle" }
  /** Some of it is gone. */
  | { readonly kind: "compacted"; readonly revision: number };

/** One watcher's place in the store's events; however slow it is, nothing is kept for it but this place. */
export class WatchCursor {
  readonly #store: MvccStore;
  readonly #range: ByteRange;
  readonly #filters: WatchFilters;
  #next: number;

  /** `start` is the first revision wanted, and may be one to come. */
  constructor(
    store: MvccStore,
    range: ByteRange,
    start: number,
    filters: WatchFilters = { puts: true, deletes: true },
  ) {
    this.#store = store;
    this.#range = range;
    this.#filters = filters;
    this.#next = start;
  }

  /** The next events, none of a revision beyond `upTo`. */
  next(upTo: number): WatchStep {
    const { events, compactedRevision } = this.#store;
    if (this.#next < compactedRevision) return { kind: "compacted", revision: compactedRevision };
    const found: KeyVersion[] = [];
    let bytes = 0;
    for (let at = events.indexOf(this.#next); at < events.length; at++) {
      const event = events.at(at);
      if (event.modRevision > upTo) break;
      const isFull = found.length >= BATCH_EVENTS_MAX || bytes >= BATCH_BYTES_MAX;
      if (isFull && event.modRevision > found[found.length - 1]!.modRevision) {
        this.#next = event.modRevision;
        return { kind: "events", events: found };
      }
      if (!isInRange(this.#range, event.key) || !this.#wants(event)) continue;
      found.push(event);
      bytes += event.key.length + event.value.length;
    }
    this.#next = Math.max(this.#next, upTo + 1);
    return found.length > 0 ? { kind: "events", events: found } : { kind: "idle" };
  }

  #wants(event: KeyVersion): boolean {
    return isDeletion(event) ? this.#filters.deletes : this.#filters.puts;
  }
}

/**
 * The key before that event; undefined where it did not exist or nobody can know any more, and for the put that makes it
 * anew in the very revision that deleted it: a creation has nothing before it.
 */
export function previousOf(store: MvccStore, event: KeyVersion): KeyVersion | undefined {
  const before = event.modRevision - 1;
  if (event.createRevision === event.modRevision || before < store.compactedRevision) return undefined;
  return store.index.get(event.key)?.at(before);
}
