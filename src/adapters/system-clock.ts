import { invariant } from "../domain/invariant.ts";
import type { Clock } from "../ports/clock.ts";

/** setTimeout takes a signed 32-bit count and fires at once beyond it: 24.8 days, longer than any wait of ours. */
const SLEEP_MAX_MS = 2 ** 31 - 1;

/**
 * The machine's own clock. A sleep keeps the process alive: whoever waits is doing something, and stops by its signal.
 */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep(milliseconds, signal) {
    invariant(milliseconds <= SLEEP_MAX_MS, `a sleep of ${milliseconds} ms is longer than a timer can be`);
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      signal?.addEventListener("abort", end);
    });
  },
};
