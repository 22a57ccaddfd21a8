import type { RegistryKeys } from "../codec/registry-keys.ts";
import { decodeSyncAnswer, decodeSyncAsk, encodeSyncAsk, type SyncAnswer } from "../codec/sync-record.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { Registry } from "../ports/registry.ts";

/** Between two looks for the answer: a look at a branch is one question over the network. */
const LOOK_MS = 100;

/**
 * Asks the leading engine to look at the branch now, and waits for what came of it; null where none answers in time, and then the wish is
 * taken back. It is a record because whoever asks reaches the registry and, as a rule, not the engine that happens to lead; and a record
 * outlives a change of leaders.
 */
export async function askSync(
  ask: {
    readonly registry: Registry;
    readonly keys: RegistryKeys;
    readonly by: string;
    /** Milliseconds. */
    readonly timeoutMs: number;
  },
  { clock, newId }: { readonly clock: Clock; readonly newId: RandomId },
): Promise<SyncAnswer | null> {
  const { registry, keys, by, timeoutMs } = ask;
  const own = newId();
  const value = encodeSyncAsk({ id: own, by, at: new Date(clock.wallMs()).toISOString() });
  await registry.txn({ when: [], then: [{ kind: "put", key: keys.syncNow, value }] });
  // Whoever asks after us takes our record's place: the look that answers them began after we asked, too.
  const asked = new Set([own]);
  const untilMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const now = (await registry.list(keys.syncNow, { exact: true })).entries[0]?.value;
    const other = now === undefined ? null : decodeSyncAsk(now);
    if (other?.kind === "record") asked.add(other.record.id);
    const said = (await registry.list(keys.syncAnswer, { exact: true })).entries[0]?.value;
    const answer = said === undefined ? null : decodeSyncAnswer(said);
    if (answer?.kind === "record" && asked.has(answer.record.ask)) return answer.record;
    if (clock.monotonicMs() >= untilMs) break;
    await clock.sleep(LOOK_MS);
  }
  await registry.txn({
    when: [{ key: keys.syncNow, target: "value", is: "=", value }],
    then: [{ kind: "delete", key: keys.syncNow }],
  });
  return null;
}
