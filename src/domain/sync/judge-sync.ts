import type { CommitId, UnitName } from "../names.ts";
import type { MassChange } from "../plan/mass-change.ts";
import type { DriverPolicy } from "./driver-policy.ts";

/** Why a commit of the branch is not the release, although the engine has seen it. The release in force stays. */
export type HeldReason =
  /** The branch shows a commit from before the release in force: it was set back, or the source lags behind. */
  | { readonly code: "behind" }
  /** The branch was rewritten: its tip does not descend from the release in force. */
  | { readonly code: "not-a-descendant" }
  | Distrusted
  /** The first of its problems, with its own code; `more`: beyond it. */
  | { readonly code: "invalid"; readonly problem: string; readonly detail: string; readonly more: number }
  | { readonly code: "other-cluster"; readonly name: string }
  | { readonly code: "unplaceable"; readonly units: readonly UnitName[]; readonly more: number }
  /** More than the release in force lets one commit do; `contentId` is what to approve. */
  | { readonly code: "restarts" | "stops"; readonly count: number; readonly max: number; readonly contentId: string }
  | { readonly code: "deletes"; readonly stopped: number; readonly of: number; readonly contentId: string }
  | { readonly code: "empties"; readonly of: number; readonly contentId: string }
  | { readonly code: "approval"; readonly contentId: string }
  /** Somebody approved it whose word does not count. */
  | { readonly code: "approval-refused"; readonly detail: string; readonly contentId: string }
  /** Somebody else holds the lock of those who apply. */
  | { readonly code: "locked"; readonly by: string }
  /** What every apply of it would be refused for, in its words. */
  | { readonly code: "refused"; readonly problem: string; readonly detail: string };

/** `detail` as machines would say it. */
export interface Distrusted {
  readonly code: "untrusted" | "trust-invalid" | "history-unknown";
  readonly detail: string;
}

export interface SyncFacts {
  /** Of the release in force: a commit does not loosen what it is held by. */
  readonly policy: DriverPolicy;
  readonly cluster: string;
  readonly inForce: CommitId;
  readonly tip: CommitId;
  /** Of the tip to the commit in force. Null, here and below: not asked yet. */
  readonly history: "ahead" | "behind" | "diverged" | "unknown" | null;
  readonly trust: "accepted" | Distrusted | null;
  readonly plan: PlanFacts | null;
  readonly approval: ApprovalFacts | null;
}

export type PlanFacts =
  | Extract<HeldReason, { readonly code: "invalid" }>
  | {
      readonly code: "planned";
      readonly cluster: string;
      readonly contentId: string;
      /** It compiles to what is in force: nothing would change. */
      readonly isSame: boolean;
      /** Of placements. */
      readonly restarts: number;
      readonly stops: number;
      readonly mass: MassChange | null;
      readonly unplaceable: readonly UnitName[];
    };

export type ApprovalFacts =
  | { readonly kind: "approved" }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly detail: string };

export type SyncVerdict =
  | { readonly kind: "nothing-new" }
  | { readonly kind: "release" }
  | { readonly kind: "held"; readonly reason: HeldReason }
  /** It cannot be said before that is known: each costs more than the one before it. */
  | { readonly kind: "asks"; readonly what: "history" | "trust" | "plan" | "approval" };

/** In a report, of one commit. */
const UNITS_NAMED_MAX = 20;

/**
 * What becomes of the branch's tip. Bad input holds the whole commit and changes nothing: there is no way from an empty tree, a missing
 * manifest or a branch that is gone to "nothing is wanted".
 */
export function judgeSync(facts: SyncFacts): SyncVerdict {
  const { history, trust, plan, approval, policy } = facts;
  if (facts.tip === facts.inForce) return { kind: "nothing-new" };
  if (history === null) return { kind: "asks", what: "history" };
  if (history === "unknown") return held({ code: "history-unknown", detail: "" });
  if (history !== "ahead") return held({ code: history === "behind" ? "behind" : "not-a-descendant" });
  if (trust === null) return { kind: "asks", what: "trust" };
  if (trust !== "accepted") return held(trust);
  if (plan === null) return { kind: "asks", what: "plan" };
  if (plan.code !== "planned") return held(plan);
  if (plan.cluster !== facts.cluster) return held({ code: "other-cluster", name: plan.cluster });
  // Of another commit of the same texts nothing changes: it is history, and nobody has anything to approve.
  if (plan.isSame) return { kind: "release" };
  const { unplaceable } = plan;
  if (unplaceable.length > 0) {
    const units = unplaceable.slice(0, UNITS_NAMED_MAX);
    return held({ code: "unplaceable", units, more: unplaceable.length - units.length });
  }
  const guard = guardOf(plan, policy);
  if (guard === null) return { kind: "release" };
  if (approval === null) return { kind: "asks", what: "approval" };
  if (approval.kind === "approved") return { kind: "release" };
  if (approval.kind === "none") return held(guard);
  return held({ code: "approval-refused", detail: approval.detail, contentId: plan.contentId });
}

/** What holds it until somebody approves: the worst first. */
function guardOf(plan: Extract<PlanFacts, { code: "planned" }>, policy: DriverPolicy): HeldReason | null {
  const { contentId, mass, restarts, stops } = plan;
  if (mass?.code === "empties") return { code: "empties", of: mass.of, contentId };
  if (mass !== null) return { code: "deletes", stopped: mass.stopped, of: mass.of, contentId };
  const { maxStops = stops, maxRestarts = restarts } = policy;
  if (stops > maxStops) return { code: "stops", count: stops, max: maxStops, contentId };
  if (restarts > maxRestarts) return { code: "restarts", count: restarts, max: maxRestarts, contentId };
  return policy.by === "approval" ? { code: "approval", contentId } : null;
}

function held(reason: HeldReason): SyncVerdict {
  return { kind: "held", reason };
}
