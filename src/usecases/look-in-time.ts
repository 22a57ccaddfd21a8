import type { Seen } from "../domain/doctor/doctor-facts.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";

/** One look, which neither hangs nor fails: after `maxMs` milliseconds nothing was seen. */
export async function lookInTime<T>(probe: () => Promise<T>, maxMs: number, clock: Clock): Promise<Seen<T>> {
  const patience = new AbortController();
  const late: Seen<T> = { kind: "unseen", why: "timeout", detail: `no answer in ${maxMs / 1000} s` };
  try {
    const seen = probe().then((value): Seen<T> => ({ kind: "seen", value }), unseen);
    return await Promise.race([seen, clock.sleep(maxMs, patience.signal).then(() => late)]);
  } finally {
    patience.abort();
  }
}

function unseen(error: unknown): Seen<never> {
  if (!(error instanceof OperationError)) throw error;
  const why = error.code === "not-allowed" ? "denied" : "failed";
  return { kind: "unseen", why, detail: `${error.code}: ${error.message}` };
}
