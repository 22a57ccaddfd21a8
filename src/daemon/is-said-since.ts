import { decodeRecord } from "../codec/record.ts";
import { STATUS_SHAPE, type StatusRecord } from "../codec/registry-records.ts";
import type { Entry } from "../ports/registry.ts";

/**
 * Whether a unit's status was written after that revision: a machine that has just come back shows for some moments what it said before. Of
 * what does not run nothing changes by a restart, and nothing is written.
 */
export function isSaidSince(entry: Entry | null, revision: number): boolean {
  if (entry === null) return false;
  if (entry.modRevision > revision) return true;
  const decoded = decodeRecord<StatusRecord>(entry.value, STATUS_SHAPE);
  return decoded.kind === "record" && decoded.record.invocation === "";
}
