import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterIdentity, PlacedUnit, Release } from "../domain/cluster/cluster-snapshot.ts";
import { digestOfSet } from "../domain/cluster/digest-of-set.ts";
import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import type { MachineId, Sha256 } from "../domain/names.ts";
import type { RandomId } from "../ports/clock.ts";
import type { Operation, Registry } from "../ports/registry.ts";

/** Below what a registry takes in one transaction (128). */
const OPERATIONS_MAX = 100;

export interface Orders {
  readonly identity: ClusterIdentity;
  readonly release: Release;
  /** Null: it has none yet. */
  readonly set: AcceptedSet | null;
}

interface OrderBook {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly machine: MachineId;
  readonly newId: RandomId;
  readonly sha256: Sha256;
}

/**
 * What one machine is to do, written where its agent reads it. `before`: the placements that stand there. The set's header comes last: until
 * then it is no complete set, and nobody acts on it.
 */
export async function writeOrders(
  { identity, release, set }: Orders,
  before: readonly PlacedUnit[],
  { registry, keys, machine, newId, sha256 }: OrderBook,
): Promise<void> {
  const operations: Operation[] = [
    { kind: "put", key: keys.cluster, value: encodeRecord(identity) },
    { kind: "put", key: keys.release, value: encodeRecord({ ...release, op: newId() }) },
  ];
  if (set !== null) {
    const { epoch, generation, placements } = set;
    const kept = new Set(placements.map(({ unit }) => unit));
    for (const { unit } of before) {
      if (!kept.has(unit)) operations.push({ kind: "delete", key: keys.placement(machine, unit) });
    }
    for (const { unit, hash, goal } of placements)
      operations.push({ kind: "put", key: keys.placement(machine, unit), value: encodeRecord({ hash, goal }) });
    const header = { epoch, generation, count: placements.length, digest: digestOfSet(placements, sha256) };
    operations.push({ kind: "put", key: keys.set(machine), value: encodeRecord({ ...header, op: newId() }) });
  }
  for (let at = 0; at < operations.length; at += OPERATIONS_MAX)
    await registry.txn({ when: [], then: operations.slice(at, at + OPERATIONS_MAX) });
}
