import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import { identifySigner, isKnown } from "../domain/trust/identify-signer.ts";
import { judgeCommit, type Untrusted } from "../domain/trust/judge-commit.ts";
import type { Signer, Trust, TrustMode } from "../domain/trust/trust-policy.ts";
import type { CommitDescription, GitSource } from "../ports/git-source.ts";
import type { TrustJudge } from "./trust-judge.ts";

export const CHECKED_MODES = ["head", "range", "strict"] as const;
export type CheckedMode = (typeof CHECKED_MODES)[number];

export interface CheckedCommit {
  readonly described: CommitDescription;
  /** Principals of whoever signed it; null: nobody who may, for the reasons below. */
  readonly signedBy: readonly string[] | null;
  /** Why the commit would be refused after its first parent; null: it would not. */
  readonly refused: Readonly<Record<CheckedMode, Untrusted | null>>;
}

export interface TrustCheck {
  /** In force at the revision; what is in force decides whether a refusal is one today. */
  readonly mode: TrustMode;
  /** Newest first, along first parents. */
  readonly commits: readonly CheckedCommit[];
  /** What is wrong with what the revision says of trust. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Holds the last commits of a branch against the signers and rules of its tip, each as if it were to follow its first parent: what each
 * mode would refuse, before it is switched on. `signers`: in place of those that the tip names.
 */
export async function checkTrust(input: {
  readonly source: Pick<GitSource, "describeCommit" | "resolve">;
  readonly judge: TrustJudge;
  readonly tip: CommitId;
  /** How many commits, 1 or more. */
  readonly last: number;
  readonly signers: readonly Signer[] | null;
}): Promise<TrustCheck> {
  const { source, judge, tip, last, signers } = input;
  const said = await judge.trustOf(tip);
  const none: Trust = { mode: "off", signers: [], forgeKeys: [], rules: [] };
  const trust = { ...(said.trust ?? none), ...(signers === null ? {} : { signers }) };
  const commits: CheckedCommit[] = [];
  for (let commit: CommitId | null = tip; commit !== null && commits.length < last; ) {
    commits.push(await check(source, judge, trust, commit));
    commit = await source.resolve(`${commit}^`);
  }
  return { mode: trust.mode, commits, diagnostics: said.diagnostics };
}

async function check(
  source: Pick<GitSource, "describeCommit">,
  judge: TrustJudge,
  trust: Trust,
  commit: CommitId,
): Promise<CheckedCommit> {
  const step = await judge.stepOf(commit, trust);
  const refusedBy = (mode: CheckedMode): Untrusted | null => {
    if (step === null) return null;
    const asked = { ...trust, mode };
    const verdict = judgeCommit(asked, { kind: "known", fromMs: null, steps: [{ ...step, trust: asked }] });
    return verdict.kind === "refused" ? verdict.reason : null;
  };
  const signer = step === null ? null : identifySigner(step.signature, trust, step.committedMs);
  return {
    described: await source.describeCommit(commit),
    signedBy: signer !== null && isKnown(signer) ? signer.principals : null,
    refused: { head: refusedBy("head"), range: refusedBy("range"), strict: refusedBy("strict") },
  };
}
