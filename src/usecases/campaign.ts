import { decodeRecord, encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { LEADER_SHAPE, type LeaderRecord, TERM_SHAPE, type TermRecord } from "../codec/registry-records.ts";
import type { RandomId } from "../ports/clock.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";

/** Leadership as held: the term is for people and disks, the create revision is what every write compares. */
export interface Leadership {
  readonly term: number;
  readonly leaderCreateRevision: number;
}

/**
 * Tries to become the one engine: the leader key under our lease and the risen term, in one transaction that only succeeds
 * where nobody leads. Null where somebody else does. A reply that was lost is settled by reading our operation id back.
 */
export async function campaign(
  registry: Registry,
  keys: RegistryKeys,
  machine: string,
  lease: LeaseId,
  newOperation: RandomId,
): Promise<Leadership | null> {
  const before = await registry.txn({
    when: [],
    then: [
      { kind: "list", prefix: keys.leader, exact: true },
      { kind: "list", prefix: keys.term, exact: true },
    ],
  });
  if ((before.listings[0] ?? []).length > 0) return null;
  const termEntry = before.listings[1]?.[0];
  const decoded = termEntry === undefined ? null : decodeRecord<TermRecord>(termEntry.value, TERM_SHAPE);
  const term = (decoded?.kind === "record" ? decoded.record.term : 0) + 1;
  const operation = newOperation();
  try {
    const result = await registry.txn({
      when: [
        { key: keys.leader, target: "create", is: "=", value: 0 },
        { key: keys.term, target: "mod", is: "=", value: termEntry?.modRevision ?? 0 },
      ],
      then: [
        { kind: "put", key: keys.leader, value: encodeRecord({ machine, term, op: operation }), lease },
        { kind: "put", key: keys.term, value: encodeRecord({ term }) },
      ],
    });
    return result.succeeded ? { term, leaderCreateRevision: result.revision } : null;
  } catch {
    return await readBack(registry, keys, operation);
  }
}

async function readBack(registry: Registry, keys: RegistryKeys, operation: string): Promise<Leadership | null> {
  const entry = (await registry.list(keys.leader, { exact: true })).entries[0];
  if (entry === undefined) return null;
  const decoded = decodeRecord<LeaderRecord>(entry.value, LEADER_SHAPE);
  if (decoded.kind !== "record" || decoded.record.op !== operation) return null;
  return { term: decoded.record.term, leaderCreateRevision: entry.createRevision };
}
