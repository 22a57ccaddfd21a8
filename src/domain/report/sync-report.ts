import type { CommitId } from "../names.ts";
import type { HeldReason } from "../sync/judge-sync.ts";

/** What an engine that follows the branch has to say beside its releases. `since` as of `AbsentMachine`. */
export interface SyncReport {
  /** A commit it has seen and not released. */
  readonly held?: { readonly commit: CommitId; readonly reason: HeldReason; readonly since: string };
  /** Why it cannot look at the branch. */
  readonly trouble?: {
    readonly code: string;
    readonly detail: string;
    readonly since: string;
    /** For so long that it is no passing fault any more. */
    readonly isFrozen?: true;
  };
}

/** Codes of `HeldReason`; a report may have others, of a later fleet. */
export const HELD_CODES: Readonly<Record<HeldReason["code"], true>> = {
  behind: true,
  "not-a-descendant": true,
  "history-unknown": true,
  untrusted: true,
  "trust-invalid": true,
  invalid: true,
  "other-cluster": true,
  unplaceable: true,
  restarts: true,
  stops: true,
  deletes: true,
  empties: true,
  approval: true,
  "approval-refused": true,
  locked: true,
  refused: true,
};
