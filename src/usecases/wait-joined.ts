import type { CallerStanding } from "../domain/join/judge-caller.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";

/** One machine asks this often, for minutes: nothing an engine would notice. */
const ASK_EACH_MS = 2_000;

/** How far a machine that joins has come. */
export interface JoinProgress {
  readonly standing: CallerStanding;
  /** Of the release its agent has taken; null: none. */
  readonly acceptedSeq: number | null;
}

/**
 * Waits until the machine is in and its agent has taken a release. Says each change of what it waits for; what cannot be asked now is
 * asked again. Null where the time is over, `lastMs` on the monotonic clock.
 */
export async function waitJoined(
  look: () => Promise<JoinProgress>,
  say: (what: JoinProgress | OperationError) => void,
  lastMs: number,
  clock: Clock,
): Promise<JoinProgress | null> {
  let said = "";
  for (;;) {
    const seen = await look().catch((error: unknown) => {
      if (error instanceof OperationError) return error;
      throw error;
    });
    const now = seen instanceof OperationError ? seen.code : JSON.stringify(seen);
    if (!(seen instanceof OperationError) && isIn(seen)) return seen;
    if (now !== said) say(seen);
    said = now;
    if (clock.monotonicMs() >= lastMs) return null;
    await clock.sleep(ASK_EACH_MS);
  }
}

function isIn({ standing, acceptedSeq }: JoinProgress): boolean {
  return (standing.code === "listed" || standing.code === "admitted") && acceptedSeq !== null;
}
