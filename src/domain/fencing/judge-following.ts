import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { AcceptedSet } from "../cluster/judge-set.ts";
import { isDamagedSet } from "../cluster/told-sets.ts";
import type { CommitId, MachineId } from "../names.ts";
import { judgeRelease, type Replaced } from "./judge-replaced.ts";

/** What a machine has taken, from its own disk. */
export interface Taken {
  /** Null before the first release. */
  readonly clusterId: string | null;
  /** Null before the first. `epoch`: the registry's when it was taken. */
  readonly release: { readonly epoch: number; readonly seq: number; readonly commit: CommitId } | null;
  readonly set: AcceptedSet | null;
}

/**
 * Why a machine cannot go by what the registry shows. `new-epoch` and `set-damaged` are no trouble: its set is being written anew, by what
 * it tells of it.
 */
export type Unfollowable =
  | Replaced
  | { readonly code: "new-epoch"; readonly epoch: number }
  | { readonly code: "set-damaged" };

export function isTrouble(because: Unfollowable): because is Replaced {
  return because.code !== "new-epoch" && because.code !== "set-damaged";
}

/**
 * Whether a machine may go by this registry, or keeps what it has and tells what that is: also where merely its header is missing, or a
 * part of its set (protocol rule 2), for no assignment names its global units.
 */
export function judgeFollowing(taken: Taken, snapshot: ClusterSnapshot, machine: MachineId): Unfollowable | null {
  const { identity, release } = snapshot;
  const { clusterId, set } = taken;
  if (clusterId === null) return null;
  if (identity === null) return { code: "cluster-gone", clusterId };
  if (identity.id !== clusterId) return { code: "other-cluster", saw: identity.id, known: clusterId };
  const known = Math.max(taken.release?.epoch ?? 0, set?.epoch ?? 0);
  if (identity.epoch < known) return { code: "epoch-behind", saw: identity.epoch, known };
  if (taken.release !== null && taken.release.epoch === identity.epoch) {
    const because = judgeRelease(release, taken.release);
    if (because !== null) return because;
  }
  if (set === null) return null;
  if (set.epoch < identity.epoch) return { code: "new-epoch", epoch: identity.epoch };
  const shown = snapshot.sets.find((one) => one.machine === machine);
  const header = shown?.header ?? null;
  if (header !== null && header.epoch === identity.epoch && header.generation < set.generation)
    return { code: "set-behind", saw: header.generation, known: set.generation };
  return isDamagedSet(shown, identity.epoch) ? { code: "set-damaged" } : null;
}
