/** First wait after a failure. Short: most failures are a restart of the other side. */
const BACKOFF_FIRST_MS = 100;
/** The longest wait. A cluster of 300 agents then knocks 60 times a second on a registry that is down: bearable. */
const BACKOFF_LAST_MS = 5_000;

/** How long to wait before attempt N (from 0), doubling up to five seconds. */
export function backoffMs(attempt: number): number {
  return Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10));
}
