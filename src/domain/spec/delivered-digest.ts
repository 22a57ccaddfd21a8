import { canonicalJson } from "../canonical-json.ts";
import type { Sha256 } from "../names.ts";
import type { DeliveredFile } from "./delivered-file.ts";

const known = new WeakMap<Sha256, WeakMap<DeliveredFile, string>>();

/**
 * Of everything about a delivered file but its place on a machine; once for each value. A thousand replicas of a unit have the very same
 * file, of up to 1 MiB: hashes of units are made often, and a specification with all those texts in it would be larger than a text can be.
 */
export function deliveredDigest(file: DeliveredFile, sha256: Sha256): string {
  const digests = known.get(sha256) ?? new WeakMap<DeliveredFile, string>();
  known.set(sha256, digests);
  const before = digests.get(file);
  if (before !== undefined) return before;
  const { text, mode, owner, group, encoding } = file;
  const digest = sha256(canonicalJson({ text, mode, owner, group, ...(encoding === undefined ? {} : { encoding }) }));
  digests.set(file, digest);
  return digest;
}
