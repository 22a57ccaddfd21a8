import type { CommitId } from "../names.ts";
import type { CommitSignature } from "./commit-signature.ts";
import type { Trust } from "./trust-policy.ts";

/** What lies between the commit accepted last and the candidate, or that it is not known. Three answers, not two (protocol rule 34). */
export type History =
  | {
      readonly kind: "known";
      /** When the accepted commit was made, as it claims; null where there is none. Milliseconds since the epoch. */
      readonly fromMs: number | null;
      /** From the oldest to the candidate, which is the last. */
      readonly steps: readonly HistoryStep[];
    }
  | { readonly kind: "unknown"; readonly because: UnknownHistory };

/** `too-long`: more commits than are looked at; `too-short`: the copy of the repository ends before the accepted one is reached. */
export type UnknownHistory = "too-long" | "too-short";

export interface SignedChange {
  readonly commit: CommitId;
  readonly signature: CommitSignature;
  /** As the committer claims; milliseconds since the epoch. */
  readonly committedMs: number;
  /** What differs from the step before; of a commit that was brought in, from its first parent. Empty where no rule asks. */
  readonly changes: readonly FileChange[];
}

/** One commit of the way from the accepted one to the candidate: of the branch itself, as long as it came by its first parents. */
export interface HistoryStep extends SignedChange {
  /** The step before is not its first parent: an ordinary `git pull` merged the branch into it (protocol rule 36). */
  readonly isDetour: boolean;
  /** What it brought in over its other parents, and that was not there before. Empty where nobody asks. */
  readonly broughtIn: readonly SignedChange[];
  /** What commits after it are judged by; the same value as before where it changes nothing of that. */
  readonly trust: Trust;
}

export interface FileChange {
  /** From the repository's root. */
  readonly path: string;
  /** The blob that is there now; null: the file is gone. */
  readonly oid: string | null;
  /** The cluster's spec is made of it: before, or now. */
  readonly isRead: boolean;
}

/** What of a step is looked at under that trust, so that nothing else need be gathered. */
export function neededOf(
  { mode, rules }: Trust,
  { isDetour, isMerge }: { readonly isDetour: boolean; readonly isMerge: boolean },
): { readonly changes: boolean; readonly broughtIn: boolean } {
  if (mode === "off") return { changes: false, broughtIn: false };
  const isWhole = mode === "strict" || (mode === "range" && isDetour);
  return { changes: rules.length > 0, broughtIn: isMerge && (isWhole || rules.some(({ count }) => count > 1)) };
}
