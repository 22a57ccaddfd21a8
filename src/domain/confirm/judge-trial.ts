/** What an agent knows of a change that may have cut it off. Monotonic milliseconds of this process. */
export interface TrialNews {
  /** When it began to act; or, having been restarted since, when it came up. */
  readonly startedMs: number;
  /** When all of it was done; null while something is still to come. */
  readonly doneMs: number | null;
  /** When the latest question that was answered was sent; null: none was. */
  readonly heardMs: number | null;
  /** When the latest question was sent that was given up on; null: none was. */
  readonly unheardMs: number | null;
}

export type TrialVerdict = "wait" | "confirmed" | "restore";

/**
 * Whether a change is good, by the answer to a question that was sent once it was done and had settled; or to be undone, because
 * nothing was heard for `withinMs`. Time alone undoes nothing: the last question must have been sent at the end of it, so that a
 * process that was stopped meanwhile asks before it judges.
 */
export function judgeTrial(news: TrialNews, withinMs: number, nowMs: number): TrialVerdict {
  const { startedMs, doneMs, heardMs, unheardMs } = news;
  if (doneMs !== null && heardMs !== null && heardMs >= doneMs + settleMs(withinMs)) return "confirmed";
  const silentSinceMs = Math.max(doneMs ?? startedMs, heardMs ?? startedMs);
  const endMs = silentSinceMs + withinMs;
  const isAsked = unheardMs !== null && unheardMs >= endMs - patienceMs(withinMs);
  return nowMs >= endMs && isAsked ? "restore" : "wait";
}

/** A service is up before it does its work; one that survives five seconds has got past its start, as a rollout counts it. */
const SETTLE_MAX_MS = 5_000;

/** How long after the change is done an answer proves nothing yet. */
export function settleMs(withinMs: number): number {
  return Math.min(SETTLE_MAX_MS, withinMs / 3);
}

/** As long as a call to a registry may take. */
const PATIENCE_MAX_MS = 5_000;

/** How long an answer is waited for before the next question. */
export function patienceMs(withinMs: number): number {
  return Math.min(PATIENCE_MAX_MS, withinMs / 3);
}

/**
 * A machine that is switched off and on again while it is cut off, or an agent that dies again and again, begins to count anew: each time
 * half as long, so that all of it together is at most twice the time asked for.
 */
export function withinAfterStarts(withinMs: number, starts: number): number {
  return withinMs / 2 ** Math.min(starts, STARTS_COUNTED_MAX);
}

/** By then it is a tenth of a second, of any time a manifest asks for in practice. */
const STARTS_COUNTED_MAX = 10;
