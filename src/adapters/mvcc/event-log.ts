import type { KeyVersion } from "./key-history.ts";

/** Every write since the last compaction, in the order it happened: what watchers read, each at its own pace. */
export class EventLog {
  #events: KeyVersion[] = [];
  #bytes = 0;

  push(event: KeyVersion): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
  }

  /** Of keys and values alone. */
  get bytes(): number {
    return this.#bytes;
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
    const dropped = this.#events.splice(0, this.indexOf(revision));
    for (const event of dropped) this.#bytes -= sizeOf(event);
    return dropped;
  }
}

function sizeOf(event: KeyVersion): number {
  return event.key.length + event.value.length;
}
