import type { Bytes } from "./byte-range.ts";

/** One write of one key; never changed once it exists. */
export interface KeyVersion {
  readonly key: Bytes;
  readonly value: Bytes;
  /** 0 on a deletion, as are `version` and (as text) `lease`. */
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** The id as decimal text, "0" for none. */
  readonly lease: string;
}

export const NO_LEASE = "0";

/** A write that ended the key. */
export function isDeletion(version: KeyVersion): boolean {
  return version.version === 0;
}

/** What is left of a key's past, oldest first. One revision may hold a deletion and a put of it, in their order. */
export class KeyHistory {
  readonly key: Bytes;
  #versions: KeyVersion[] = [];

  constructor(key: Bytes) {
    this.key = key;
  }

  push(version: KeyVersion): void {
    this.#versions.push(version);
  }

  get versions(): readonly KeyVersion[] {
    return this.#versions;
  }

  /** The key as it is after everything written so far. */
  latest(): KeyVersion | undefined {
    const last = this.#versions[this.#versions.length - 1];
    return last === undefined || isDeletion(last) ? undefined : last;
  }

  /** The key as it was at that revision. */
  at(revision: number): KeyVersion | undefined {
    const found = this.#versions[this.#countUpTo(revision) - 1];
    return found === undefined || isDeletion(found) ? undefined : found;
  }

  /**
   * Forgets what no read at `revision` or later can see. Everything written at `revision` itself stays, deletions too, so
   * that a watch starting there misses nothing (etcd drops those deletions: a watcher then never hears of them).
   * Returns whether nothing is left.
   */
  compact(revision: number): boolean {
    const before = this.#countUpTo(revision - 1);
    const seenAtRevision = this.#countUpTo(revision);
    const shadowed = seenAtRevision > before;
    const last = this.#versions[before - 1];
    const keepLast = !shadowed && last !== undefined && !isDeletion(last);
    const drop = keepLast ? before - 1 : before;
    if (drop > 0) this.#versions = this.#versions.slice(drop);
    return this.#versions.length === 0;
  }

  #countUpTo(revision: number): number {
    const versions = this.#versions;
    let low = 0;
    let high = versions.length;
    if (high === 0 || versions[high - 1]!.modRevision <= revision) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (versions[middle]!.modRevision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
