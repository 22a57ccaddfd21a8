import { OperationError } from "../../../ports/operation-error.ts";
import type { FetchedPack } from "./fetcher.ts";
import type { RemoteRef } from "./upload-pack.ts";

const ID = /^[0-9a-f]{40}$/;

/** What the child said, believed no more than the network is. Rejects with `fetch-failed`. */
export function readRefsReply(value: unknown): readonly RemoteRef[] {
  const { refs } = value as { refs?: unknown };
  if (!Array.isArray(refs)) throw malformed();
  return refs.map((ref: { name?: unknown; oid?: unknown; peeled?: unknown }) => {
    const { name, oid, peeled } = ref ?? {};
    if (typeof name !== "string" || !isId(oid) || !(peeled === null || isId(peeled))) throw malformed();
    return { name, oid, peeled };
  });
}

export function readPackReply(value: unknown, blobs: readonly Buffer[], maxBytes: number): FetchedPack | null {
  const reply = value as { none?: unknown; tip?: unknown; name?: unknown; shallow?: unknown; unshallow?: unknown };
  if (reply.none === true) return null;
  const { tip, name, shallow, unshallow } = reply;
  const [pack, index] = blobs;
  // The name becomes a file's.
  if (!isId(tip) || !isId(name) || !isIds(shallow) || !isIds(unshallow)) throw malformed();
  if (pack === undefined || index === undefined || pack.length > maxBytes) throw malformed();
  return { tip, name, shallow, unshallow, pack, index };
}

function isId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isId);
}

function malformed(): OperationError {
  return new OperationError("fetch-failed", "the fetching process said what makes no sense");
}
