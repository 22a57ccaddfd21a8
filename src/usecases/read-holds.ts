import { decodeHold } from "../codec/hold-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type Hold, sortedHolds } from "../domain/cluster/hold.ts";
import type { Registry } from "../ports/registry.ts";

/** What is held now, widest first. A record nobody can read holds nothing, here as for agents. */
export async function readHolds(registry: Registry, keys: RegistryKeys): Promise<Hold[]> {
  const { entries } = await registry.list(keys.holds);
  return sortedHolds(entries.map((entry) => decodeHold(keys, entry)).filter((hold) => hold !== null));
}
