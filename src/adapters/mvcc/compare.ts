import { byteRange } from "./byte-range.ts";
import type { KeyVersion } from "./key-history.ts";
import type { CompareQuery } from "./mvcc-request.ts";
import type { MvccStore } from "./mvcc-store.ts";

/** Holds for every key of the range. A key that does not exist has 0 everywhere and equals, and differs from, no value. */
export function holds(store: MvccStore, compare: CompareQuery): boolean {
  let found = false;
  for (const version of store.select(byteRange(compare.key, compare.rangeEnd), store.revision)) {
    found = true;
    if (!holdsFor(compare, version)) return false;
  }
  return found || (compare.target.kind !== "value" && holdsFor(compare, undefined));
}

function holdsFor(compare: CompareQuery, version: KeyVersion | undefined): boolean {
  const sign = signOf(compare.target, version);
  switch (compare.is) {
    case "=":
      return sign === 0;
    case "!=":
      return sign !== 0;
    case ">":
      return sign > 0;
    case "<":
      return sign < 0;
  }
}

function signOf(target: CompareQuery["target"], version: KeyVersion | undefined): number {
  switch (target.kind) {
    case "version":
      return order(version?.version ?? 0, target.value);
    case "create":
      return order(version?.createRevision ?? 0, target.value);
    case "mod":
      return order(version?.modRevision ?? 0, target.value);
    case "value":
      return order(version?.value ?? "", target.value);
    case "lease":
      return order(BigInt(version?.lease ?? "0"), BigInt(target.value));
  }
}

function order<T extends number | bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
