import type { ClusterState, StateEntry } from "../codec/cluster-state.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import { compareText } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Entry, Registry } from "../ports/registry.ts";

/** What a plan reads of a cluster, for those who cannot reach it: names, metadata, placements and hashes. No addresses, no journals, no unit's text. */
export async function readState(registry: Registry, keys: RegistryKeys, clock: Clock): Promise<ClusterState> {
  const { entries, revision } = await registry.list(keys.root);
  const { snapshot, newerVersion } = snapshotFromEntries(keys, entries, revision);
  if (newerVersion !== null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const { identity, release } = snapshot;
  if (identity === null) {
    throw new OperationError("no-cluster", "the registry holds no cluster", {
      next: "apply a first commit, or name another with --cluster",
    });
  }
  const spec = release === null ? null : keys.specChunk(release.specHash, 0).replace(/[^/]*$/, "");
  const shown = entries.flatMap((entry): StateEntry[] => {
    const value = shownValue(entry, keys, spec);
    return value === null ? [] : [{ key: entry.key, value, mod: entry.modRevision }];
  });
  const at = new Date(clock.wallMs()).toISOString();
  return { cluster: identity.name, revision, at, entries: shown.sort((a, b) => compareText(a.key, b.key)) };
}

/** Written as they are: none of these says more than where which version is wanted, and since when. */
const AS_THEY_ARE = ["assign/", "placements/", "presence/"];
/** Of a unit on its machine: whether it is up. What it printed, and what somebody changed there, is nobody else's. */
const OF_STATUS = ["v", "load", "active", "sub", "hash", "since", "started", "health"];
/** Of a machine: what it may run. Where it is reached is nobody else's. */
const OF_MEMBER = [
  "v",
  "name",
  "metadata",
  "bootId",
  "version",
  "joined",
  "acceptedSeq",
  "foreign",
  "capacity",
  "capabilities",
  "unrecorded",
];
/** Of a rollout: how far it is. */
const OF_ROLLOUT = ["v", "release", "base", "phase", "openRings", "soakedMs", "bakes", "orderRevision", "since"];

/** Null: it is in no state. Only what is named here is in one, so that a new kind of record is left out until somebody has thought of it. */
function shownValue({ key, value }: Entry, keys: RegistryKeys, spec: string | null): string | null {
  const path = key.slice(keys.root.length);
  if (key === keys.cluster || key === keys.release || AS_THEY_ARE.some((prefix) => path.startsWith(prefix)))
    return value;
  if (spec !== null && key.startsWith(spec)) return value;
  if (path.startsWith("members/")) return only(value, OF_MEMBER, { address: "" });
  if (path.startsWith("status/")) return only(value, OF_STATUS, { result: "", invocation: "", problem: null });
  if (key.startsWith(keys.rollouts)) return only(value, OF_ROLLOUT, { failures: [] });
  return null;
}

function only(value: string, fields: readonly string[], others: object): string | null {
  try {
    const record = JSON.parse(value) as Readonly<Record<string, unknown>>;
    const kept = Object.entries(record).filter(([field]) => fields.includes(field));
    return JSON.stringify({ ...Object.fromEntries(kept), ...others });
  } catch {
    // A damaged record is quarantined by whoever reads the registry itself.
    return null;
  }
}
