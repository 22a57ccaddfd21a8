import type { KeyVersion } from "./key-history.ts";

/** Every write since the last compaction, in the order it happened: what watchers read, each at its own pace. */
export class EventLog {
  #events: KeyVersion[] = [];

  push(event: KeyVersion): void {
    this.#events.push(event);
  }

  get length(): number {
    return this.#events.length;
  }

  at(index: number): KeyVersion {
    return this.#events[index]!;
  }

  /** Where that revision begins, or the first one after it. */
  indexOf(revision: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Forgets and returns what is older than that revision. */
  dropBefore(revision: number): readonly KeyVersion[] {
    return this.#events.splice(0, this.indexOf(revision));
  }
}
