import { type Hold, OWN_HOLDS_MAX, parseHoldScope, printHoldScope } from "../domain/cluster/hold.ts";
import type { MachineId } from "../domain/names.ts";
import type { Entry } from "../ports/registry.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";
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

/** What a machine says of the holds it was asked for on its own socket, in its member record: scopes as in keys. */
export type OwnHold = Omit<Hold, "scope" | "placedAt"> & { readonly scope: string };

const OWN_HOLD_SHAPE: Shape = { scope: "string", reason: "string", by: "string", at: "string", forMs: "number" };

export function ownHold({ scope, reason, by, at, forMs }: Hold): OwnHold {
  return { scope: printHoldScope(scope), reason, by, at, forMs };
}

/** Of a member record, which older agents write without: what is none, or of another machine or the whole cluster, is passed over. */
export function readOwnHolds(value: unknown, machine: MachineId): Hold[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, OWN_HOLDS_MAX).flatMap((one) => {
    if (!hasShape(one, OWN_HOLD_SHAPE)) return [];
    const { scope: text, reason, by, at, forMs } = one as OwnHold;
    const scope = parseHoldScope(text);
    if (scope === null || scope.kind === "cluster") return [];
    if (scope.kind === "machine" && scope.machine !== machine) return [];
    return [{ scope, reason, by, at, forMs, placedAt: machine }];
  });
}
