import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import type { Sha256 } from "../domain/names.ts";
import { hasShape, type Shape } from "./record.ts";

/** Raised when a field changes its meaning. */
const STATE_VERSION = 1;
const STATE_KIND = "state";
/** 300 machines with 20,000 units have a tenth of it. */
export const STATE_CHARACTERS_MAX = 256 << 20;

/** What a plan reads of a cluster, as its registry had it at one revision. */
export interface ClusterState {
  readonly cluster: string;
  readonly revision: number;
  /** RFC 3339, by the clock of whoever read it. */
  readonly at: string;
  /** Whole keys, sorted. */
  readonly entries: readonly StateEntry[];
}

export interface StateEntry {
  readonly key: string;
  readonly value: string;
  /** The revision it was written at last. */
  readonly mod: number;
}

export type DecodedState =
  | { readonly kind: "state"; readonly state: ClusterState }
  | { readonly kind: "damaged"; readonly problem: string }
  | { readonly kind: "newer"; readonly version: number };

const HEAD_SHAPE: Shape = { cluster: "string", revision: "number", at: "string", entries: "number" };
const ENTRY_SHAPE: Shape = { key: "string", value: "string", mod: "number" };

/** Lines of canonical JSON: what it is, then one entry a line, then the sha256 of all that. */
export function encodeState({ entries, ...head }: ClusterState, sha256: Sha256): string {
  const first = { fleet: STATE_KIND, v: STATE_VERSION, ...head, entries: entries.length };
  const body = [first, ...entries].map((line) => `${canonicalJson(line as unknown as Json)}\n`).join("");
  return `${body}${canonicalJson({ sha256: sha256(body) })}\n`;
}

/** Whole and unchanged, or not taken at all. Who made it is not known: a plan of it is a proposal, and no apply takes it unseen. */
export function decodeState(text: string, sha256: Sha256): DecodedState {
  const lines = text.split("\n");
  if (lines.pop() !== "") return damaged("its last line is cut");
  const head = parsed(lines[0]);
  if (head?.fleet !== STATE_KIND) return damaged("it is not what fleet registry state writes");
  if (typeof head.v === "number" && head.v > STATE_VERSION) return { kind: "newer", version: head.v };
  if (!hasShape(head, HEAD_SHAPE)) return damaged("its first line is not what a state begins with");
  const end = parsed(lines.at(-1));
  const body = lines.slice(0, -1);
  if (end?.sha256 !== sha256(body.map((line) => `${line}\n`).join("")))
    return damaged("its checksum is of other content");
  const entries = body.slice(1).map(parsed);
  if (entries.length !== head.entries || !entries.every((entry) => hasShape(entry, ENTRY_SHAPE)))
    return damaged("its entries are not what its first line says");
  const { cluster, revision, at } = head as unknown as ClusterState;
  return { kind: "state", state: { cluster, revision, at, entries: entries as unknown as StateEntry[] } };
}

function parsed(line: string | undefined): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line ?? "");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    // Told as what it is not, by whoever asked.
    return null;
  }
}

function damaged(problem: string): DecodedState {
  return { kind: "damaged", problem };
}
