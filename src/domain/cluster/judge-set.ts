import type { Sha256 } from "../names.ts";
import type { MachineSet, PlacedUnit } from "./cluster-snapshot.ts";
import { digestOfSet } from "./digest-of-set.ts";

/** The set an agent acts on, as it accepted it. Persisted; the generation only rises within an epoch. */
export interface AcceptedSet {
  readonly epoch: number;
  readonly generation: number;
  readonly placements: readonly PlacedUnit[];
}

export type SetVerdict =
  | { readonly kind: "accept"; readonly set: AcceptedSet }
  /** Nothing new. */
  | { readonly kind: "same" }
  /** Not a complete newer set: keep what is there. Absence is never an instruction. */
  | { readonly kind: "keep"; readonly because: "no-header" | "other-epoch" | "older-generation" | "incomplete" };

/** Whether what the registry shows is a complete set of its epoch and not an older one than we have. */
export function judgeSet(
  shown: MachineSet | null,
  epoch: number,
  accepted: AcceptedSet | null,
  sha256: Sha256,
): SetVerdict {
  if (shown?.header == null) return { kind: "keep", because: "no-header" };
  const { header, placements } = shown;
  if (header.epoch !== epoch || (accepted !== null && epoch < accepted.epoch))
    return { kind: "keep", because: "other-epoch" };
  if (header.count !== placements.length || header.digest !== digestOfSet(placements, sha256)) {
    return { kind: "keep", because: "incomplete" };
  }
  if (accepted !== null && accepted.epoch === epoch) {
    if (header.generation < accepted.generation) return { kind: "keep", because: "older-generation" };
    if (header.generation === accepted.generation) return { kind: "same" };
  }
  return { kind: "accept", set: { epoch, generation: header.generation, placements } };
}
