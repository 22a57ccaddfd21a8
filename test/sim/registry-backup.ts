import type { Entry, Operation } from "../../src/ports/registry.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";

/** What one puts back: every key that hung on no lease, whoever wrote it. */
export async function backUp({ registry, keys }: SimCluster): Promise<readonly Entry[]> {
  return (await registry.list(keys.root)).entries.filter(({ lease }) => lease === null);
}

/** As somebody who deletes the cluster's prefix; the revision in which it happened. */
export async function wipe({ registry, keys }: SimCluster): Promise<number> {
  return (await registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: keys.root }] })).revision;
}

/** As somebody who puts a backup in place of what is there, while nobody reaches the registry; the revisions in which it happened. */
export async function restore(cluster: SimCluster, backup: readonly Entry[]): Promise<readonly number[]> {
  const revisions = [await wipe(cluster)];
  const puts = backup.map(({ key, value }): Operation => ({ kind: "put", key, value }));
  for (let at = 0; at < puts.length; at += 100) {
    revisions.push((await cluster.registry.txn({ when: [], then: puts.slice(at, at + 100) })).revision);
  }
  return revisions;
}

/** Nobody reaches the registry meanwhile, as while it is stopped. */
export async function away(cluster: SimCluster, meanwhile: () => Promise<unknown>): Promise<void> {
  const reached = cluster.machines.filter(({ partitioned }) => !partitioned);
  for (const machine of reached) machine.setPartitioned(true);
  await meanwhile();
  for (const machine of reached) machine.setPartitioned(false);
}
