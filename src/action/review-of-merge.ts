import { findReviews, type Review } from "./review-comment.ts";
import type { Step } from "./step.ts";

/** The newest comment about this plan on the pull request that brought the commit, by merge, squash or rebase; null where there is none. */
export async function reviewOfMerge({ forge, event, inputs }: Step): Promise<Review | null> {
  if (forge === null) return null;
  const number = event.pullRequest?.number ?? (await mergedPullRequest(forge, event));
  return number === null ? null : ((await findReviews(forge, number, inputs)).at(-1) ?? null);
}

async function mergedPullRequest(
  forge: NonNullable<Step["forge"]>,
  { sha, branch }: Step["event"],
): Promise<number | null> {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha)) return null;
  const merged = (await forge.pullRequestsOf(sha)).filter(
    ({ mergedAt, base }) => mergedAt !== null && (branch === null || base === branch),
  );
  // A commit of several is in the one that was merged last; its own merge says so outright.
  const own = merged.find(({ mergeCommit }) => mergeCommit === sha);
  const latest = merged.toSorted((a, b) => ((a.mergedAt ?? "") < (b.mergedAt ?? "") ? -1 : 1)).at(-1);
  return (own ?? latest)?.number ?? null;
}
