import { decodeHold } from "../codec/hold-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import { type Hold, sortedHolds } from "../domain/cluster/hold.ts";
import type { RegistryReader } from "../ports/registry.ts";

/**
 * What is held now, widest first: in the registry, and at the machines themselves as far as they are there to say so. A record nobody can
 * read holds nothing, here as for agents.
 */
export async function readHolds(
  registry: RegistryReader,
  keys: RegistryKeys,
  members: readonly Pick<Member, "present" | "holds">[],
): Promise<Hold[]> {
  const { entries } = await registry.list(keys.holds);
  const everywhere = entries.map((entry) => decodeHold(keys, entry)).filter((hold) => hold !== null);
  return sortedHolds([...everywhere, ...members.flatMap(({ present, holds = [] }) => (present ? holds : []))]);
}
