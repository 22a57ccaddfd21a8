import type { Clock } from "../ports/clock.ts";

/**
 * One flag between those who notice something and the loop that decides: any number of wakes while the loop is busy are one.
 * Events only wake; the loop reads the whole picture itself.
 */
export class Wakeup {
  readonly #clock: Clock;
  #woken = false;
  #resume: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly wake = (): void => {
    this.#woken = true;
    this.#resume?.();
  };

  /** Returns when woken (at once if that happened since the last call), after `limitMs`, or when the signal aborts. */
  async wait(limitMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#woken && !signal.aborted) {
      const rest = new AbortController();
      const end = () => rest.abort(null);
      this.#resume = end;
      signal.addEventListener("abort", end);
      await this.#clock.sleep(limitMs, rest.signal);
      signal.removeEventListener("abort", end);
      this.#resume = null;
    }
    this.#woken = false;
  }
}
