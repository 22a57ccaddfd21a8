import type { HubState } from "../domain/hub/hub-state.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, notice, warning } from "../ports/log.ts";

/** A machine on a bad line goes from engine to engine all day: another one is told of when the last was told of this long ago. */
const ENGINE_AGAIN_MS = 60_000;
/** The same reason of the same engine, once it was over, is news after this long. */
const FAILURE_AGAIN_MS = 600_000;

/** Says in the journal what changes on the way to the registry: the engine in use, and each one that cannot be used, once for each reason. */
export function hubTeller(log: Log, clock: Pick<Clock, "monotonicMs">): (state: HubState) => void {
  let told: { readonly engine: string; readonly atMs: number } | null = null;
  /** Until when each failure is no news. */
  const known = new Map<string, number>();
  return ({ engine, failures }) => {
    const nowMs = clock.monotonicMs();
    for (const { engine: failing, code, detail, next } of failures) {
      const key = `${failing} ${code}`;
      if ((known.get(key) ?? 0) <= nowMs) log(warning(`${code}: ${detail}${next === null ? "" : `; next: ${next}`}`));
      known.set(key, nowMs + FAILURE_AGAIN_MS);
    }
    for (const [key, untilMs] of known) if (untilMs <= nowMs) known.delete(key);
    if (engine === null || engine === told?.engine) return;
    if (told !== null && nowMs - told.atMs < ENGINE_AGAIN_MS) return;
    log(notice(`the registry is reached through ${engine}`));
    told = { engine, atMs: nowMs };
  };
}
