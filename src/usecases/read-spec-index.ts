import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type IndexedUnit, SPEC_CHUNK_SHAPE, type SpecChunkRecord } from "../codec/registry-records.ts";
import type { SpecHash } from "../domain/names.ts";
import type { RegistryReader } from "../ports/registry.ts";

/** The units of a spec as its index has them. An index that is missing or damaged is shorter: lists are then too, nothing else. */
export async function readSpecIndex(
  registry: RegistryReader,
  keys: RegistryKeys,
  specHash: SpecHash,
): Promise<IndexedUnit[]> {
  const { entries } = await registry.list(keys.specChunk(specHash, 0).replace(/[^/]*$/, ""));
  return entries.flatMap((entry) => {
    const decoded = decodeRecord<SpecChunkRecord>(entry.value, SPEC_CHUNK_SHAPE);
    return decoded.kind === "record" ? decoded.record.units : [];
  });
}
