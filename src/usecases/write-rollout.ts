import type { RegistryKeys } from "../codec/registry-keys.ts";
import { encodeRollout } from "../codec/rollout-record.ts";
import type { RolloutRecord } from "../domain/rollout/rollout-record.ts";
import type { Operation, Registry } from "../ports/registry.ts";
import type { EngineFence } from "./write-sets.ts";

/** Records and orders that go along with one write; those beyond go with the next one. */
const FORGOTTEN_MAX = 50;

/**
 * Writes how far a rollout has come, before anything that depends on it: dying after it leaves a next leader that goes on from there. Compared
 * are the leader, the release, and the record as it was read. Null: somebody newer was there first, and the engine must look again. A
 * lost reply rejects; the record's revision tells at the next look, and a write that repeats it fails.
 */
export async function writeRollout(
  registry: Registry,
  keys: RegistryKeys,
  fence: EngineFence,
  record: RolloutRecord,
  modRevision: number,
  outdated: readonly number[],
): Promise<number | null> {
  const key = keys.rollout(record.release.seq);
  const result = await registry.txn({
    when: [
      fence.leader,
      { key: keys.release, target: "mod", is: "=", value: fence.releaseModRevision },
      { key, target: "mod", is: "=", value: modRevision },
    ],
    then: [
      { kind: "put", key, value: encodeRollout(record) },
      ...outdated.slice(0, FORGOTTEN_MAX).flatMap((seq): Operation[] => [
        { kind: "delete", key: keys.rollout(seq) },
        { kind: "delete", key: keys.rolloutOrder(seq) },
      ]),
    ],
  });
  return result.succeeded ? result.revision : null;
}
