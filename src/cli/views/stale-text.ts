import type { Release } from "../../domain/cluster/cluster-snapshot.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import { printable } from "./printable.ts";

/** What moved under a plan. Nothing was changed. */
export function staleText(plan: Plan, release: Release | null): string {
  const made = plan.base.releaseSeq === 0 ? "no release" : `release ${plan.base.releaseSeq}`;
  const now =
    release === null
      ? "no release"
      : `release ${release.seq} (commit ${release.commit.slice(0, 7)}, by ${printable(release.by)} at ${printable(release.at)})`;
  const moved =
    (release?.seq ?? 0) === plan.base.releaseSeq
      ? "the release is the same, but its machines or placements have changed"
      : `it was made on ${made}, and the cluster is at ${now}`;
  return `stale plan: ${moved}.\nNothing was changed. Plan again: fleet plan`;
}
