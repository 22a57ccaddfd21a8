import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { RELEASE_SHAPE, type ReleaseRecord } from "../codec/registry-records.ts";
import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import type { RegistryReader } from "../ports/registry.ts";

/** Every release the registry still has a record of, oldest first; one that cannot be read is left out. */
export async function readReleases(registry: RegistryReader, keys: RegistryKeys): Promise<readonly Release[]> {
  const { entries } = await registry.list(keys.releaseAt(0).replace(/[^/]*$/, ""));
  return entries
    .flatMap((entry) => {
      const decoded = decodeRecord<ReleaseRecord>(entry.value, RELEASE_SHAPE);
      return decoded.kind === "record" ? [decoded.record] : [];
    })
    .sort((a, b) => a.seq - b.seq)
    .map(({ op: _op, ...release }) => release);
}
