import { canonicalJson } from "../canonical-json.ts";
import { compareText, type Sha256 } from "../names.ts";
import type { PlacedUnit } from "./cluster-snapshot.ts";

/**
 * sha256 of one machine's whole set, in any order given. An agent compares it with the set's header: a set that was read
 * half, or lost a key to somebody's `del`, has another digest and is not acted on.
 */
export function digestOfSet(placements: readonly PlacedUnit[], sha256: Sha256): string {
  const rows = [...placements]
    .sort((a, b) => compareText(a.unit, b.unit))
    .map(({ unit, hash, goal }) => [unit, hash, goal]);
  return sha256(canonicalJson(rows));
}
