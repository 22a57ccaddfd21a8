import { type Slot, WAITER_GONE_MS, type Waiter } from "../domain/locks/lock.ts";
import type { Clock } from "../ports/clock.ts";

/**
 * Since when one observer has seen each renewal of a slot, by its own monotonic clock. A deadline is another machine's wall time, and that
 * may be wrong: by it a slot could be held for ever, or be gone at once. So a slot lapses where somebody saw the same renewal for as long as
 * it was to last; whoever looks only once sees none lapse.
 */
export class LapseWatch {
  readonly #clock: Clock;
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be told of everything there is, at every look: what is there no more is forgotten. */
  look(lock: string, held: readonly Slot[], waiting: readonly Waiter[]): void {
    const nowMs = this.#clock.monotonicMs();
    const keys = new Set([
      ...held.map((slot) => slotKey(lock, slot)),
      ...waiting.map((waiter) => waiterKey(lock, waiter)),
    ]);
    for (const key of this.#seen.keys()) if (key.startsWith(`${lock} `) && !keys.has(key)) this.#seen.delete(key);
    for (const key of keys) if (!this.#seen.has(key)) this.#seen.set(key, nowMs);
  }

  isLapsed(lock: string, slot: Slot): boolean {
    return this.#ageMs(slotKey(lock, slot)) >= slot.forMs;
  }

  isGone(lock: string, waiter: Waiter): boolean {
    return this.#ageMs(waiterKey(lock, waiter)) >= WAITER_GONE_MS;
  }

  #ageMs(key: string): number {
    const sinceMs = this.#seen.get(key);
    return sinceMs === undefined ? 0 : this.#clock.monotonicMs() - sinceMs;
  }
}

function slotKey(lock: string, { holder, op, modRevision }: Slot): string {
  return `${lock} slot ${holder} ${op} ${modRevision}`;
}

function waiterKey(lock: string, { holder, beat }: Waiter): string {
  return `${lock} waiter ${holder} ${beat}`;
}
