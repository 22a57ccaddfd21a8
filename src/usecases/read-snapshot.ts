import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type SnapshotReading, snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { RegistryReader } from "../ports/registry.ts";

/** What the deciders need of a cluster; specs, plans and history are read only by those who want them. */
const SNAPSHOT_PREFIXES = [
  "assign/",
  "placements/",
  "members/",
  "presence/",
  "kept/",
  "status/",
  "rollout/",
  "rollout-orders/",
] as const;

/**
 * One consistent reading of the whole cluster: a single read-only transaction, so one revision and one round trip. `without`: what whoever
 * only looks can spare; assignments are a third of all there is, and say where units are once more.
 */
export async function readSnapshot(
  registry: RegistryReader,
  keys: RegistryKeys,
  without: "assign/" | null = null,
): Promise<SnapshotReading> {
  const result = await registry.txn({
    when: [],
    then: [
      { kind: "list", prefix: keys.cluster, exact: true },
      { kind: "list", prefix: keys.release, exact: true },
      ...SNAPSHOT_PREFIXES.filter((prefix) => prefix !== without).map(
        (prefix) => ({ kind: "list", prefix: `${keys.root}${prefix}` }) as const,
      ),
    ],
  });
  return snapshotFromEntries(keys, result.listings.flat(), result.revision);
}
