import type { SyncAnswer } from "../../codec/sync-record.ts";
import type { SyncReport } from "../../domain/report/sync-report.ts";
import type { HeldReason } from "../../domain/sync/judge-sync.ts";
import { BRANCH_OLD } from "../../usecases/age-of-branch.ts";
import { counted } from "./counted.ts";
import { sinceText } from "./since-text.ts";

/** What the engine makes of the branch, one line each. */
export function syncTexts({ held, trouble }: SyncReport, nowMs: number): string[] {
  return [
    ...(held === undefined
      ? []
      : [`commit ${held.commit.slice(0, 7)} is held, ${sinceText(held.since, nowMs)}: ${heldReasonText(held.reason)}`]),
    ...(trouble === undefined
      ? []
      : [`${troubleText(trouble)}, ${sinceText(trouble.since, nowMs)}: ${trouble.code}: ${trouble.detail}`]),
  ];
}

function troubleText({ code, isFrozen }: NonNullable<SyncReport["trouble"]>): string {
  if (code === BRANCH_OLD) return "frozen";
  return isFrozen === true ? "frozen: nobody could look at it" : "cannot be looked at";
}

/** Why a commit of the branch is not the release, and what lets it through. */
export function heldReasonText(reason: HeldReason): string {
  switch (reason.code) {
    case "behind":
      return "the branch shows a commit from before the release in force: it was set back, or the source lags behind; go back by a commit on top";
    case "not-a-descendant":
      return "the branch was rewritten: it does not descend from the release in force; bring that commit into its history again";
    case "history-unknown":
      return `nobody can tell whether it descends from the release in force${reason.detail === "" ? "" : `: ${reason.detail}`}`;
    case "untrusted":
    case "trust-invalid":
      return `${reason.code}: ${reason.detail}`;
    case "invalid":
      return `${reason.problem}: ${reason.detail}${reason.more === 0 ? "" : `, and ${counted(reason.more, "problem")} more`}; fleet validate shows all`;
    case "other-cluster":
      return `its manifest is of cluster ${reason.name}`;
    case "unplaceable":
      return `${reason.units.join(", ")}${reason.more === 0 ? "" : ` and ${reason.more} more`}: on no machine; fleet plan says why`;
    case "restarts":
      return `${counted(reason.count, "restart")}, and ${reason.max} may happen unasked; ${APPROVE}`;
    case "stops":
      return `${counted(reason.count, "stop")}, and ${reason.max} may happen unasked; ${APPROVE}`;
    case "deletes":
      return `it stops ${reason.stopped} of ${counted(reason.of, "unit")}; ${APPROVE}`;
    case "empties":
      return `it has no units, and ${reason.of} are placed; ${APPROVE}`;
    case "approval":
      return `nobody has approved it; ${APPROVE}`;
    case "approval-refused":
      return `${reason.detail}; ${APPROVE}`;
    case "locked":
      return `${reason.by} holds the lock of those who apply`;
    case "refused":
      return `${reason.problem}: ${reason.detail}`;
  }
}

const APPROVE = "fleet approve shows it and asks";

/** What came of a look that was asked for. */
export function syncAnswerText({ kind, commit, reason, detail, seq }: SyncAnswer): string {
  const short = commit?.slice(0, 7) ?? "";
  switch (kind) {
    case "nothing-new":
      return `nothing new: the branch is at ${short}, which is in force`;
    case "released":
      return `release ${seq}: commit ${short}`;
    case "held":
      return `commit ${short} is held: ${reason === undefined ? "the engine does not say why" : heldReasonText(reason)}`;
    case "moved":
      return `commit ${short} is planned again: the cluster changed meanwhile`;
    case "trouble":
      return `the branch cannot be looked at: ${detail ?? ""}`;
  }
}
