import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { Plan } from "../domain/plan/plan.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { readReleases } from "./read-releases.ts";

/**
 * The release that did what this plan does, or null: a second run is harmless. It is the one in force, an earlier one made since the plan
 * was (of this very plan, or a squash's, which has the same content), or one whose commit descends from the plan's. The releases of
 * another cluster say nothing. Without a source ancestry is not asked.
 */
export async function findApplied(
  registry: Registry,
  keys: RegistryKeys,
  plan: Plan,
  { identity, release }: ClusterSnapshot,
  source: GitSource | null,
): Promise<Release | null> {
  if (release === null || identity === null) return null;
  if (plan.clusterId !== null && plan.clusterId !== identity.id) return null;
  if (release.commit === plan.commit) return release;
  // A plan made on the release in force cannot have been applied before it.
  const isNewer = release.seq !== plan.base.releaseSeq;
  const history = isNewer ? (await readReleases(registry, keys)).filter(({ seq }) => seq > plan.base.releaseSeq) : [];
  const own = history.find(({ planId, contentId }) => planId === plan.planId || contentId === plan.contentId);
  if (own !== undefined) return own;
  return source !== null && (await descends(source, plan, release)) ? release : null;
}

/** A re-run of an older apply after a newer one: the release descends from this commit, so it was applied before. */
async function descends(source: GitSource, plan: Plan, release: Release): Promise<boolean> {
  try {
    return (await source.isAncestor(plan.commit, release.commit)) === "yes";
  } catch (error) {
    // The registry of another repository's cluster: its commits are none of this one.
    if (error instanceof OperationError && error.code === "commit-unknown") return false;
    throw error;
  }
}
