import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import { compareText, type Sha256 } from "../domain/names.ts";
import { hasShape, type Shape } from "./record.ts";

/** Raised when a field changes its meaning. */
const EXPORT_VERSION = 1;
const EXPORT_KIND = "registry";

/** Everything durable of one cluster, as its registry had it at one revision. */
export interface RegistryExport {
  readonly cluster: string;
  readonly clusterId: string;
  readonly epoch: number;
  /** 0: no engine has led yet. */
  readonly term: number;
  /** 0: there is no release. */
  readonly seq: number;
  readonly revision: number;
  /** RFC 3339; for people. */
  readonly at: string;
  /** Keys below the cluster's own prefix; sorted. */
  readonly entries: readonly ExportedEntry[];
}

export interface ExportedEntry {
  readonly key: string;
  readonly value: string;
}

export type DecodedExport =
  | { readonly kind: "export"; readonly content: RegistryExport }
  | { readonly kind: "damaged"; readonly problem: string }
  | { readonly kind: "newer"; readonly version: number };

const HEAD_SHAPE: Shape = {
  cluster: "string",
  clusterId: "string",
  epoch: "number",
  term: "number",
  seq: "number",
  revision: "number",
  at: "string",
  entries: "number",
};
const ENTRY_SHAPE: Shape = { key: "string", value: "string" };

/**
 * Lines of canonical JSON: what it is, then one entry a line, then the sha256 of all that. Equal registries give equal lines but for the
 * head, so two backups can be compared by `diff`.
 */
export function encodeRegistryExport({ entries, ...head }: RegistryExport, sha256: Sha256): string {
  const sorted = [...entries].sort((a, b) => compareText(a.key, b.key));
  const first = { fleet: EXPORT_KIND, v: EXPORT_VERSION, ...head, entries: sorted.length };
  const body = [first, ...sorted].map((line) => `${canonicalJson(line as unknown as Json)}\n`).join("");
  return `${body}${canonicalJson({ sha256: sha256(body) })}\n`;
}

/** Whole and unchanged, or not taken at all. */
export function decodeRegistryExport(text: string, sha256: Sha256): DecodedExport {
  const lines = text.split("\n");
  if (lines.pop() !== "") return damaged("its last line is cut");
  const head = parsed(lines[0]);
  if (head?.fleet !== EXPORT_KIND) return damaged("it is no export of a registry");
  if (typeof head.v === "number" && head.v > EXPORT_VERSION) return { kind: "newer", version: head.v };
  if (!hasShape(head, HEAD_SHAPE)) return damaged("its first line is not what an export begins with");
  const end = parsed(lines.at(-1));
  const body = lines.slice(0, -1);
  if (typeof end?.sha256 !== "string") return damaged("its end is missing");
  if (end.sha256 !== sha256(body.map((line) => `${line}\n`).join("")))
    return damaged("its checksum is of other content");
  const entries = body.slice(1).map(parsed);
  if (entries.length !== head.entries || !entries.every((entry) => hasShape(entry, ENTRY_SHAPE)))
    return damaged("its entries are not what its first line says");
  const { fleet: _fleet, v: _v, ...rest } = head;
  return {
    kind: "export",
    content: { ...(rest as unknown as RegistryExport), entries: entries as unknown as ExportedEntry[] },
  };
}

function parsed(line: string | undefined): Record<string, unknown> | null {
  if (line === undefined) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // The caller says what is wrong with the file.
  }
}

function damaged(problem: string): DecodedExport {
  return { kind: "damaged", problem };
}
