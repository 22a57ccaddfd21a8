import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { TrustJudge } from "./trust-judge.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

/**
 * That machines would not take this commit as it is, as a warning: a plan is often made of one that somebody else will sign when it is
 * merged. Nothing where the release in force is not in this repository, or not before the commit: that is told elsewhere.
 */
export async function warnUntrusted(
  source: Pick<GitSource, "isAncestor">,
  judge: Pick<TrustJudge, "judge" | "trustOf">,
  released: CommitId | null,
  commit: CommitId,
): Promise<readonly Diagnostic[]> {
  try {
    const said = await Promise.all([commit, released ?? commit].map((one) => judge.trustOf(one)));
    // The history of a repository that asks for no signatures may be long, and is not gone through for that.
    if (said.every(({ trust }) => trust?.mode === "off")) return [];
    if (released !== null && (await source.isAncestor(released, commit)) !== "yes") return [];
    const verdict = await judge.judge(released, commit);
    if (verdict.kind === "accepted") return [];
    const { detail, next } = untrustedDetail(verdict);
    return [{ code: "commit-untrusted", severity: "warning", saw: `machines would not take this: ${detail}`, next }];
  } catch (error) {
    if (error instanceof OperationError) return [];
    throw error;
  }
}
