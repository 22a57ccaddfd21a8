import type { CommitId } from "../names.ts";
import { countDifferent, eligible } from "./different-signers.ts";
import type { FileChange, History, HistoryStep, UnknownHistory } from "./history.ts";
import { identifySigner, isKnown, type KnownSigner, type Unidentified } from "./identify-signer.ts";
import type { Trust, TrustRule } from "./trust-policy.ts";

/** Why a commit is refused; `commit` is the one that is at fault, which may be older than the candidate. */
export type Untrusted =
  | Unidentified
  | {
      readonly code: "rule-unmet";
      readonly path: string;
      /** See TrustRule. */
      readonly paths: readonly string[];
      readonly signers: readonly string[];
      readonly count: number;
      /** Who signed that file as it now is; fingerprints' principals. */
      readonly signedBy: readonly string[];
    };

export type CommitVerdict =
  | { readonly kind: "accepted"; readonly trust: Trust }
  | { readonly kind: "refused"; readonly commit: CommitId; readonly reason: Untrusted }
  | { readonly kind: "unknown"; readonly because: UnknownHistory };

/**
 * Is the candidate acceptable after the commit accepted last? Each step of the way is judged by what was in force before it: a change of
 * the signers, of the rules, or the end of them, needs somebody who was trusted until then; keys that such a step names count for the
 * next. So it makes no difference at which of the steps a machine stops on its way.
 */
export function judgeCommit(before: Trust, history: History): CommitVerdict {
  if (history.kind === "unknown") return history;
  let trust = before;
  let atMs = history.fromMs ?? 0;
  for (const [index, step] of history.steps.entries()) {
    // A stolen key that has run out is not made good by an earlier date than that of the commit below.
    atMs = Math.max(atMs, step.committedMs);
    const fault = judgeStep(trust, step, atMs, index === history.steps.length - 1);
    if (fault !== null) return { kind: "refused", ...fault };
    trust = step.trust;
  }
  return { kind: "accepted", trust };
}

interface Fault {
  readonly commit: CommitId;
  readonly reason: Untrusted;
}

function judgeStep(trust: Trust, step: HistoryStep, atMs: number, isCandidate: boolean): Fault | null {
  if (trust.mode === "off") {
    // Nobody must be locked out by the commit that turns trust on: what it asks for it must give itself.
    const isTurnedOn = isCandidate && step.trust.mode !== "off";
    return isTurnedOn ? judgeSigned(step.trust, step, atMs) : null;
  }
  if (trust.mode === "head" && !isCandidate && step.trust === trust) return null;
  return judgeSigned(trust, step, atMs);
}

function judgeSigned(trust: Trust, step: HistoryStep, atMs: number): Fault | null {
  const { commit } = step;
  const signer = identifySigner(step.signature, trust, atMs);
  if (!isKnown(signer)) return { commit, reason: signer };
  if (trust.mode === "strict" || (trust.mode === "range" && step.isDetour)) {
    for (const side of step.broughtIn) {
      const by = identifySigner(side.signature, trust, side.committedMs);
      if (!isKnown(by)) return { commit: side.commit, reason: by };
    }
  }
  for (const change of step.changes) {
    const signers = [signer, ...coAuthors(trust, step, change)];
    const rule = rulesFor(trust, change).find((one) => !isMet(one, signers));
    if (rule === undefined) continue;
    const { paths, signers: names, count } = rule;
    const signedBy = [...new Set(signers.flatMap(({ principals }) => principals))];
    return { commit, reason: { code: "rule-unmet", path: change.path, paths, signers: names, count, signedBy } };
  }
  return null;
}

/** Who signed, on a branch that the step merges, the very file that it leaves: what a merge itself changes, none of them has seen. */
function coAuthors(trust: Trust, { broughtIn }: HistoryStep, { path, oid }: FileChange): readonly KnownSigner[] {
  return broughtIn
    .filter(({ changes }) => changes.some((change) => change.path === path && change.oid === oid))
    .map(({ signature, committedMs }) => identifySigner(signature, trust, committedMs))
    .filter(isKnown);
}

/**
 * All that name it. A file the spec is made of that none names is held to every one of them: else a manifest in a new folder walks around
 * the rules (protocol rule 35). Of what the spec does not read, a signature is enough.
 */
export function rulesFor({ rules }: Pick<Trust, "rules">, { path, isRead }: FileChange): readonly TrustRule[] {
  const named = rules.filter(({ matches }) => matches(path));
  return named.length > 0 || !isRead ? named : rules;
}

function isMet(rule: TrustRule, signers: readonly KnownSigner[]): boolean {
  return countDifferent(eligible(signers, rule), rule.signers) >= rule.count;
}
