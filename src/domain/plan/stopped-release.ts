import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { isStopped, type StoppedRollout } from "../cluster/with-rollout.ts";
import type { SpecHash } from "../names.ts";
import { rolloutOf } from "../rollout/rollouts.ts";

/** A release in force whose commit is not what is placed, because its rollout ended before its end (protocol rule 5). */
export interface StoppedRelease {
  readonly seq: number;
  readonly phase: StoppedRollout["phase"];
  /** The number of the release it went, or would have gone, back to; null: there is none. */
  readonly base: number | null;
  /** The plan is of the same texts: applying it changes nothing, as they are not tried again. */
  readonly isPlanned: boolean;
}

/** Null where the release in force goes on, is over, or there is none. */
export function stoppedRelease(
  { release, rollouts }: Pick<ClusterSnapshot, "release" | "rollouts">,
  planned: SpecHash,
): StoppedRelease | null {
  const record = rolloutOf(rollouts, release);
  if (!isStopped(record)) return null;
  const { phase, base } = record;
  const { seq, specHash } = record.release;
  return { seq, phase, base: base?.seq ?? null, isPlanned: specHash === planned };
}
