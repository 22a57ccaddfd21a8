import type { Release } from "../cluster/cluster-snapshot.ts";
import type { CommitId } from "../names.ts";
import type { RolloutRecord } from "../rollout/rollout-record.ts";

type Known = Pick<Release, "seq" | "commit">;

export type RollbackTarget =
  | { readonly kind: "release"; readonly release: Known; readonly inForce: Known; readonly failed: boolean }
  | { readonly kind: "none"; readonly because: "no-release" | "no-earlier" };

/**
 * The release whose tree is to be taken again: `back` releases before the one in force, where that many are known. Null: the last that ended
 * well, and where nobody kept that, the last with another commit. `releases` are sorted by number.
 */
export function chooseRollback(
  releases: readonly Known[],
  rollout: Pick<RolloutRecord, "base" | "phase"> | null,
  back: number | null,
): RollbackTarget {
  const inForce = releases.at(-1);
  if (inForce === undefined) return { kind: "none", because: "no-release" };
  const target = back === null ? lastGood(releases, inForce, rollout?.base?.commit ?? null) : releases.at(-1 - back);
  if (target === undefined) return { kind: "none", because: "no-earlier" };
  const failed = rollout !== null && rollout.phase !== "done" && rollout.phase !== "rolling";
  return { kind: "release", release: target, inForce, failed };
}

function lastGood(releases: readonly Known[], inForce: Known, base: CommitId | null): Known | undefined {
  const others = releases.filter(({ seq, commit }) => seq < inForce.seq && commit !== inForce.commit);
  return (base === null ? undefined : others.findLast(({ commit }) => commit === base)) ?? others.at(-1);
}
