import { cutCommit } from "../codec/signatures/signed-commit.ts";
import type { CommitId } from "../domain/names.ts";
import type { DriverPolicy } from "../domain/sync/driver-policy.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";

/** In a report: what stands on the branch is signed and in force, and perhaps not what was pushed last. */
export const BRANCH_OLD = "branch-old";

export interface OldBranch {
  /** RFC 3339: since when it is too old. */
  readonly since: string;
  readonly detail: string;
}

/**
 * Whether a branch's last commit is older than the cluster says it may be, by its committer's date: whoever serves the repository can keep
 * serving the same state for ever, and no signature tells (freeze). Null where it is not, or nobody asked. For people alone: both
 * clocks may be wrong, and nothing is decided by it.
 */
export async function oldBranch(
  tip: CommitId,
  { maxAgeMs }: Pick<DriverPolicy, "maxAgeMs">,
  { source, clock }: { readonly source: Pick<GitSource, "readCommit">; readonly clock: Pick<Clock, "wallMs"> },
): Promise<OldBranch | null> {
  if (maxAgeMs === undefined) return null;
  const committedMs = cutCommit(await source.readCommit(tip))?.committedMs;
  if (committedMs === undefined || clock.wallMs() - committedMs <= maxAgeMs) return null;
  const at = new Date(committedMs).toISOString();
  return {
    since: new Date(committedMs + maxAgeMs).toISOString(),
    detail: `the last commit, ${tip.slice(0, 12)}, is of ${at}; sync.maxAge has it be newer than ${Math.round(maxAgeMs / 1000)} s`,
  };
}
