import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { BaseSpec } from "../domain/rollout/base-versions.ts";
import type { ReleaseId } from "../domain/rollout/rollout-record.ts";
import { rolloutOf } from "../domain/rollout/rollouts.ts";
import { baseAfter } from "../domain/rollout/start-rollout.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";

/**
 * What machines of closed rings keep once this spec is the release, and what runs still where a rollout has not ended: the last release whose
 * rollout ended well. Absent where nothing is known of rollouts, or everything runs as the release in force says and nothing in the spec
 * asks for more: then the release in force is taken for it.
 */
export async function planBase(
  compile: CommitCompiler,
  spec: ClusterSpec,
  { release, rollouts }: Pick<ClusterSnapshot, "release" | "rollouts">,
): Promise<{ readonly base?: BaseSpec }> {
  const asks = spec.rings !== undefined || spec.units.some(({ rollout }) => rollout.canary !== undefined);
  const record = rolloutOf(rollouts, release);
  if (record === null || (record.phase === "done" && !asks)) return {};
  // A plan of the release in force shows the rest of its own rollout.
  const base = record.release.specHash === spec.specHash ? record.base : baseAfter(record);
  return { base: base === null ? null : ((await specOfRelease(compile, base)) ?? "unknown") };
}

/** The spec of a release; null where this repository does not have its commit, a shallow clone say. */
export async function specOfRelease(
  compile: CommitCompiler,
  { commit, specHash }: Pick<ReleaseId, "commit" | "specHash">,
): Promise<ClusterSpec | null> {
  try {
    const { spec } = await compile(commit);
    return spec?.specHash === specHash ? spec : null;
  } catch (error) {
    if (error instanceof OperationError && error.code === "commit-unknown") return null;
    throw error;
  }
}
