import type { Entry } from "../ports/registry.ts";
import type { RegistryKeys } from "./registry-keys.ts";

/** Below the cluster's prefix: what machines and engines say of now, and what an import that is under way says. None of it is moved. */
const OF_NOW = ["engine/", "presence/", "status/", "kept/", "claims/", "locks/", "grants/", "importing"];
/** What machines write again by themselves, into an empty registry, too. */
const OF_MACHINES = ["members/"];
/** People's, for a while: they hang on a lease and are moved all the same. */
const HOLDS = "holds/";

/** Whether an entry belongs into a backup: all that lasts, also of kinds this fleet does not know. */
export function isDurable(keys: RegistryKeys, { key, lease }: Pick<Entry, "key" | "lease">): boolean {
  const path = key.slice(keys.root.length);
  if (path.startsWith(HOLDS)) return true;
  return lease === null && !OF_NOW.some((prefix) => path.startsWith(prefix));
}

/** Whether an entry says that a cluster is there, or was begun: into such a registry nothing is imported. */
export function isOfCluster(keys: RegistryKeys, entry: Pick<Entry, "key" | "lease">): boolean {
  const path = entry.key.slice(keys.root.length);
  return isDurable(keys, entry) && ![...OF_MACHINES, HOLDS].some((prefix) => path.startsWith(prefix));
}
