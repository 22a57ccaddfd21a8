import { decodeRecord, hasShape } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { MARK_SHAPE } from "../codec/registry-mark-record.ts";
import { REPORT_SHAPE, type ReportRecord } from "../codec/registry-records.ts";
import type { RegistryMark } from "../domain/fencing/judge-replaced.ts";
import type { Registry } from "../ports/registry.ts";

/** How far an engine that refuses to lead says the registry had come; null where none says so. */
export async function readKnownMark(registry: Registry, keys: RegistryKeys): Promise<RegistryMark | null> {
  const [entry] = (await registry.list(keys.report, { exact: true })).entries;
  const decoded = entry === undefined ? null : decodeRecord<ReportRecord>(entry.value, REPORT_SHAPE);
  const known = decoded?.kind === "record" ? decoded.record.known : undefined;
  return known !== undefined && hasShape(known, MARK_SHAPE) ? known : null;
}
