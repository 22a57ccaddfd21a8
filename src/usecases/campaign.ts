import { decodeRecord, encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { LEADER_SHAPE, type LeaderRecord, TERM_SHAPE, type TermRecord } from "../codec/registry-records.ts";
import type { RandomId } from "../ports/clock.ts";
import { UnknownResultError } from "../ports/operation-error.ts";
import type { Compare, Entry, LeaseId, Registry } from "../ports/registry.ts";

/** Leadership as held: the term is for people and disks, the record is what every write compares. */
export interface Leadership {
  readonly term: number;
  /**
   * The leader key's value, which names this campaign's own operation. Its create revision would not do: a registry that was put back counts
   * anew, and gives another leader's key the same one.
   */
  readonly record: string;
}

/** True for as long as that leader leads, in whatever life of the registry. */
export function isLedBy(keys: RegistryKeys, { record }: Leadership): Compare {
  return { key: keys.leader, target: "value", is: "=", value: record };
}

/**
 * Tries to become the one engine: the leader key under our lease and the risen term, in one transaction that only succeeds
 * where nobody leads. Null where somebody else does. A leader key that hangs on our lease is ours, however we came to it: a reply
 * was lost, or we stepped down because renewals went unanswered that had in truth arrived. `termKnown`: the highest seen anywhere;
 * a registry that was restored may be behind it.
 */
export async function campaign(
  registry: Registry,
  keys: RegistryKeys,
  machine: string,
  lease: LeaseId,
  newOperation: RandomId,
  termKnown = 0,
): Promise<Leadership | null> {
  const before = await registry.txn({
    when: [],
    then: [
      { kind: "list", prefix: keys.leader, exact: true },
      { kind: "list", prefix: keys.term, exact: true },
    ],
  });
  const leader = before.listings[0]?.[0];
  if (leader !== undefined) return held(leader, lease);
  const termEntry = before.listings[1]?.[0];
  const decoded = termEntry === undefined ? null : decodeRecord<TermRecord>(termEntry.value, TERM_SHAPE);
  const term = Math.max(decoded?.kind === "record" ? decoded.record.term : 0, termKnown) + 1;
  const record = encodeRecord({ machine, term, op: newOperation() });
  try {
    const result = await registry.txn({
      when: [
        { key: keys.leader, target: "create", is: "=", value: 0 },
        { key: keys.term, target: "mod", is: "=", value: termEntry?.modRevision ?? 0 },
      ],
      then: [
        { kind: "put", key: keys.leader, value: record, lease },
        { kind: "put", key: keys.term, value: encodeRecord({ term }) },
      ],
    });
    return result.succeeded ? { term, record } : null;
  } catch (error) {
    if (!(error instanceof UnknownResultError)) throw error;
    const now = (await registry.list(keys.leader, { exact: true })).entries[0];
    return now === undefined ? null : held(now, lease);
  }
}

function held(leader: Entry, lease: LeaseId): Leadership | null {
  if (leader.lease !== lease) return null;
  const decoded = decodeRecord<LeaderRecord>(leader.value, LEADER_SHAPE);
  return decoded.kind === "record" ? { term: decoded.record.term, record: leader.value } : null;
}
