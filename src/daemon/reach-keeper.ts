import type { Clock } from "../ports/clock.ts";
import { type Log, notice } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Answerer, ReachLine } from "../ports/reach.ts";
import { backoffMs } from "./backoff.ts";

/** A connection that stood so long has not failed at once. */
const STEADY_MS = 60_000;

/** Keeps the way open by which others ask this machine, until the signal aborts. What it cannot do it says once, and nothing waits for it. */
export async function keepReach(
  line: ReachLine,
  answer: Answerer,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Promise<void> {
  let said = "";
  for (let failures = 0; !signal.aborted; failures++) {
    const startedMs = clock.monotonicMs();
    try {
      await line.serve(answer, signal);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (error.code !== said)
        log(notice(`nobody can ask this machine for journals now: ${error.code}: ${error.message}`));
      said = error.code;
    }
    if (clock.monotonicMs() - startedMs > STEADY_MS) failures = 0;
    await clock.sleep(backoffMs(failures), signal);
  }
}
