import { isDurable } from "../codec/durable-keys.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryExport } from "../codec/registry-export.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { TERM_SHAPE, type TermRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";

/** Everything durable of a cluster, at one revision: for a backup, or to move it to another registry. */
export async function exportRegistry(registry: Registry, keys: RegistryKeys, clock: Clock): Promise<RegistryExport> {
  const { entries, revision } = await registry.list(keys.root);
  const { snapshot, newerVersion } = snapshotFromEntries(keys, entries, revision);
  const { identity, release } = snapshot;
  if (newerVersion !== null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  if (identity === null) {
    throw new OperationError("no-cluster", "the registry holds no cluster that could be exported", {
      next: "name another with --cluster; one that was wiped is taken over from its machines: fleet registry adopt",
    });
  }
  const term = entries.find(({ key }) => key === keys.term);
  const decoded = term === undefined ? null : decodeRecord<TermRecord>(term.value, TERM_SHAPE);
  return {
    cluster: identity.name,
    clusterId: identity.id,
    epoch: identity.epoch,
    term: decoded?.kind === "record" ? decoded.record.term : 0,
    seq: release?.seq ?? 0,
    revision,
    at: new Date(clock.wallMs()).toISOString(),
    entries: entries
      .filter((entry) => isDurable(keys, entry))
      .map(({ key, value }) => ({ key: key.slice(keys.root.length), value })),
  };
}
