import type { ReleaseId, RolloutRecord } from "./rollout-record.ts";

/**
 * The record of a release that has none. `before`: of the newest release before it that has one: what it has proved, or what it was
 * itself to go back to. Without records, in a cluster older than they are, nothing is known to have ended well: there is no base, and where
 * everything is as the release wants it, it is done at the first look.
 */
export function startRollout(
  { seq, commit, specHash }: ReleaseId,
  before: RolloutRecord | null,
  since: string,
): RolloutRecord {
  return {
    release: { seq, commit, specHash },
    base: before === null ? null : baseAfter(before),
    phase: "rolling",
    openRings: 1,
    soakedMs: 0,
    bakes: [],
    failures: [],
    orderRevision: 0,
    since,
  };
}

/** The last release that ended well, once this one is over, however it ended. */
export function baseAfter({ phase, release, base }: RolloutRecord): ReleaseId | null {
  return phase === "done" ? release : base;
}

/** Whether a record is this release's: after a registry was replaced, numbers begin anew. */
export function isRolloutOf({ release }: RolloutRecord, { seq, commit }: Pick<ReleaseId, "seq" | "commit">): boolean {
  return release.seq === seq && release.commit === commit;
}
