import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
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
  | { readonly kind: "state"; readonly state: ClusterState; readonly seal: StateSeal | null }
  | { readonly kind: "damaged"; readonly problem: string }
  | { readonly kind: "newer"; readonly version: number };

/** An engine's word that this is how its registry was. Whether the signature is that key's is for whoever can tell. */
export interface StateSeal {
  readonly key: NodeKey;
  readonly signature: Uint8Array;
  /** What was signed. */
  readonly bytes: Uint8Array;
}

/** Signs bytes with the key it names. */
export interface StateSigner {
  readonly key: NodeKey;
  sign(bytes: Uint8Array): Uint8Array;
}

const HEAD_SHAPE: Shape = { cluster: "string", revision: "number", at: "string", entries: "number" };
const ENTRY_SHAPE: Shape = { key: "string", value: "string", mod: "number" };

/** Lines of canonical JSON: what it is, then one entry a line, then the sha256 of all that, and who signed it, if anybody. */
export function encodeState(
  { entries, ...head }: ClusterState,
  sha256: Sha256,
  signer: StateSigner | null = null,
): string {
  const first = { fleet: STATE_KIND, v: STATE_VERSION, ...head, entries: entries.length };
  const body = [first, ...entries].map((line) => `${canonicalJson(line as unknown as Json)}\n`).join("");
  const digest = sha256(body);
  const seal =
    signer === null
      ? {}
      : { key: signer.key, signature: Buffer.from(signer.sign(signedBytesOf(digest))).toString("base64") };
  return `${body}${canonicalJson({ sha256: digest, ...seal })}\n`;
}

/** No signature of anything else an engine's key signs is one of this. */
function signedBytesOf(digest: string): Buffer {
  return Buffer.from(`fleet cluster state\n${digest}\n`);
}

/** Whole and unchanged, or not taken at all. */
export function decodeState(text: string, sha256: Sha256): DecodedState {
  const lines = text.split("\n");
  if (lines.pop() !== "") return damaged("its last line is cut");
  const head = parsed(lines[0]);
  if (head?.fleet !== STATE_KIND) return damaged("it is not what fleet registry state writes");
  if (typeof head.v === "number" && head.v > STATE_VERSION) return { kind: "newer", version: head.v };
  if (!hasShape(head, HEAD_SHAPE)) return damaged("its first line is not what a state begins with");
  const end = parsed(lines.at(-1));
  const body = lines.slice(0, -1);
  const digest = sha256(body.map((line) => `${line}\n`).join(""));
  if (end?.sha256 !== digest) return damaged("its checksum is of other content");
  const seal = sealOf(end, digest);
  if (seal === "damaged") return damaged("its last line has a signature that cannot be read");
  const entries = body.slice(1).map(parsed);
  if (entries.length !== head.entries || !entries.every((entry) => hasShape(entry, ENTRY_SHAPE)))
    return damaged("its entries are not what its first line says");
  const { cluster, revision, at } = head as unknown as ClusterState;
  return { kind: "state", state: { cluster, revision, at, entries: entries as unknown as StateEntry[] }, seal };
}

/** An ed25519 signature has as many. */
const SIGNATURE_BYTES = 64;

function sealOf({ key, signature }: Readonly<Record<string, unknown>>, digest: string): StateSeal | null | "damaged" {
  if (key === undefined && signature === undefined) return null;
  const parsedKey = typeof key === "string" ? parseNodeKey(key) : null;
  const bytes = typeof signature === "string" ? Buffer.from(signature, "base64") : null;
  if (parsedKey === null || bytes?.length !== SIGNATURE_BYTES) return "damaged";
  return { key: parsedKey, signature: bytes, bytes: signedBytesOf(digest) };
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
