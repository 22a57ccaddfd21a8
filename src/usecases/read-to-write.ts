import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { readSnapshot } from "./read-snapshot.ts";

/** A reading one may write by: none of the two records a release hangs on is newer than this fleet, or damaged. */
export async function readToWrite(registry: Registry, keys: RegistryKeys): Promise<ClusterSnapshot> {
  const { snapshot, newerVersion, quarantined } = await readSnapshot(registry, keys);
  if (newerVersion !== null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const damaged = quarantined.find(({ key }) => key === keys.cluster || key === keys.release);
  if (damaged === undefined) return snapshot;
  throw new OperationError("record-damaged", `${damaged.key} cannot be read: ${damaged.problem}`, {
    next: "restore it from a backup of the registry",
  });
}
