import { byteRange } from "./byte-range.ts";
import type { KeyVersion } from "./key-history.ts";
import { MvccError } from "./mvcc-error.ts";
import type { RangeAnswer, RangeQuery } from "./mvcc-request.ts";
import type { MvccStore } from "./mvcc-store.ts";

/**
 * Reads as etcd does. `current` is the revision the reader sees as the newest one: the store's, or that of the transaction
 * it is part of. `count` knows neither limit nor bounds; `more` knows both.
 */
export function runRange(store: MvccStore, query: RangeQuery, current = store.revision): RangeAnswer {
  if (query.revision > current) throw new MvccError("revision-future");
  const revision = query.revision <= 0 ? current : query.revision;
  if (revision < store.compactedRevision) throw new MvccError("revision-compacted");
  const range = byteRange(query.key, query.rangeEnd);
  if (query.countOnly) {
    let count = 0;
    for (const _ of store.select(range, revision)) count++;
    return { kind: "range", revision: current, versions: [], more: false, count };
  }
  let versions = [...store.select(range, revision)];
  const count = versions.length;
  // etcd stops reading after one more than the limit unless it has to see all of them, and sorts only then.
  if (query.limit > 0 && query.order === "none" && !isBounded(query)) versions = versions.slice(0, query.limit + 1);
  if (isBounded(query)) versions = versions.filter((version) => isWithinBounds(query, version));
  if (query.order !== "none" || query.target !== "key") sort(versions, query);
  const more = query.limit > 0 && versions.length > query.limit;
  if (more) versions.length = query.limit;
  if (query.keysOnly) versions = versions.map((version) => ({ ...version, value: "" }));
  return { kind: "range", revision: current, versions, more, count };
}

function isBounded(query: RangeQuery): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = query;
  return minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0;
}

function isWithinBounds(query: RangeQuery, version: KeyVersion): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = query;
  return (
    (minModRevision === 0 || version.modRevision >= minModRevision) &&
    (maxModRevision === 0 || version.modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || version.createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || version.createRevision <= maxCreateRevision)
  );
}

function sort(versions: KeyVersion[], query: RangeQuery): void {
  const of = SORT_KEYS[query.target];
  const direction = query.order === "descend" ? -1 : 1;
  versions.sort((a, b) => {
    const [left, right] = [of(a), of(b)];
    return left < right ? -direction : left > right ? direction : 0;
  });
}

const SORT_KEYS: Record<RangeQuery["target"], (version: KeyVersion) => string | number> = {
  key: (version) => version.key,
  version: (version) => version.version,
  create: (version) => version.createRevision,
  mod: (version) => version.modRevision,
  value: (version) => version.value,
};
