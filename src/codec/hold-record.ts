import { type Hold, parseHoldScope, printHoldScope } from "../domain/cluster/hold.ts";
import type { Entry } from "../ports/registry.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";
import type { RegistryKeys } from "./registry-keys.ts";

type HoldRecord = Omit<Hold, "scope"> & { readonly op: string };

const HOLD_SHAPE: Shape = { reason: "string", by: "string", at: "string", forMs: "number", op: "string" };

export function holdKey(keys: RegistryKeys, { scope }: Pick<Hold, "scope">): string {
  return `${keys.holds}${printHoldScope(scope)}`;
}

export function encodeHold({ reason, by, at, forMs }: Hold, op: string): string {
  return encodeRecord({ reason, by, at, forMs, op });
}

/** A record nobody can read holds nothing: what it would stop is said in git. */
export function decodeHold(keys: RegistryKeys, entry: Entry): Hold | null {
  const scope = entry.key.startsWith(keys.holds) ? parseHoldScope(entry.key.slice(keys.holds.length)) : null;
  const decoded = decodeRecord<HoldRecord>(entry.value, HOLD_SHAPE);
  if (scope === null || decoded.kind !== "record") return null;
  const { reason, by, at, forMs } = decoded.record;
  return { scope, reason, by, at, forMs };
}
