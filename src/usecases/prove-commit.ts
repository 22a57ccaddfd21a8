import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Rewinds } from "./rewind-keeper.ts";
import type { TrustJudge, TrustVerdict } from "./trust-judge.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

export interface SourceBranch {
  /** The cluster's own source, not the working copy. */
  readonly source: GitSource;
  readonly sourceName: string;
  readonly branch: string;
  /** Of that branch, where it was asked for a moment ago. */
  readonly tip?: CommitId;
  /** Of that source. */
  readonly trust: Pick<TrustJudge, "judge">;
  /** What somebody ordered on this machine to go back to (`fleet trust rewind`). Absent: nothing. */
  readonly rewinds?: Rewinds;
}

/**
 * Whether every node would take that commit after the release in force: it is on the source's branch ("push first") and descends from
 * the release's commit, and is signed as what is in force asks for. Null, or the error that says which is not so: `not-on-branch`,
 * `not-a-descendant`, `untrusted`, `history-unknown`, `trust-invalid`.
 */
export async function proveCommit(
  commit: CommitId,
  release: Release | null,
  { source, sourceName, branch, tip, trust, rewinds }: SourceBranch,
): Promise<OperationError | null> {
  const onBranch = await source.isAncestor(commit, tip ?? (await source.fetch()));
  if (onBranch !== "yes") {
    return new OperationError(
      "not-on-branch",
      onBranch === "no"
        ? `commit ${commit.slice(0, 12)} is not on branch ${branch} of ${sourceName}`
        : `cannot tell whether commit ${commit.slice(0, 12)} is on branch ${branch} of ${sourceName}: its history is too far back`,
      { next: "push it first, then apply" },
    );
  }
  const forward = release === null ? "yes" : await source.isAncestor(release.commit, commit);
  if (release === null || forward === "yes") return refusalOf(await trust.judge(release?.commit ?? null, commit));
  if (((await rewinds?.to(commit)) ?? null) !== null) return refusalOf(await trust.judge(null, commit));
  const [short, before] = [commit.slice(0, 12), release.commit.slice(0, 12)];
  return new OperationError(
    "not-a-descendant",
    forward === "no"
      ? `commit ${short} does not descend from ${before}, the commit of release ${release.seq}: its history was rewritten`
      : `cannot tell whether commit ${short} descends from ${before}, the commit of release ${release.seq}`,
    {
      next: `go back by a commit on top (git revert), or put ${before} into the branch's history again; where neither will do, fleet trust rewind`,
    },
  );
}

/** Every machine judges for itself, whatever is applied; here it is said before anything is written. */
function refusalOf(verdict: TrustVerdict): OperationError | null {
  if (verdict.kind === "accepted") return null;
  const { code, detail, next } = untrustedDetail(verdict);
  return new OperationError(code, `machines will not take it: ${detail}`, { next });
}
