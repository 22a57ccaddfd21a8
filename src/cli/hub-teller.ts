import type { HubState } from "../domain/hub/hub-state.ts";
import { type Log, notice, warning } from "../ports/log.ts";

/** Says in the journal what changes on the way to the registry: the engine in use, and each one that cannot be used, once for each reason. */
export function hubTeller(log: Log): (state: HubState) => void {
  let engine: string | null = null;
  let told: ReadonlySet<string> = new Set();
  return (state) => {
    const failing = new Map(state.failures.map((failure) => [`${failure.engine} ${failure.code}`, failure]));
    for (const [key, { code, detail, next }] of failing) {
      if (!told.has(key)) log(warning(`${code}: ${detail}${next === null ? "" : `; next: ${next}`}`));
    }
    told = new Set(failing.keys());
    if (state.engine !== null && state.engine !== engine)
      log(notice(`the registry is reached through ${state.engine}`));
    // While none is in use the last one stays the one to compare with: the same again is no news.
    engine = state.engine ?? engine;
  };
}
