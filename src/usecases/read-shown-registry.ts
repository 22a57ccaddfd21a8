import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { TERM_SHAPE, type TermRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ShownRegistry } from "../domain/fencing/judge-replaced.ts";
import type { Registry } from "../ports/registry.ts";

/** What a registry shows of its own past, at one revision. Null where it holds records of a newer fleet. */
export async function readShownRegistry(registry: Registry, keys: RegistryKeys): Promise<ShownRegistry | null> {
  const exact = (prefix: string) => ({ kind: "list", prefix, exact: true }) as const;
  const then = [exact(keys.cluster), exact(keys.release), exact(keys.term)];
  const { listings, revision } = await registry.txn({ when: [], then });
  const { snapshot, newerVersion } = snapshotFromEntries(keys, listings.slice(0, 2).flat(), revision);
  if (newerVersion !== null) return null;
  const entry = listings[2]?.[0];
  const decoded = entry === undefined ? null : decodeRecord<TermRecord>(entry.value, TERM_SHAPE);
  const term = decoded?.kind === "record" ? decoded.record.term : 0;
  return { identity: snapshot.identity, release: snapshot.release, term };
}
