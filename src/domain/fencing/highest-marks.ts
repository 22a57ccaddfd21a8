import type { ClusterSnapshot, Member } from "../cluster/cluster-snapshot.ts";
import { type CommitId, compareText } from "../names.ts";

/** What a machine has verified and taken, as it says itself. */
export interface MachineMark {
  readonly commit: CommitId;
  /** The name of a machine that took it. */
  readonly machine: string;
}

/** Machines that lie tell as many as they are; each is asked of git. */
const MARKS_MAX = 4;

/**
 * The commits of the newest release that any machine says it took: a release that does not descend from them was set back, whoever remembers
 * nothing of it. Of this epoch alone, and of the highest number alone: who has been away for long is on no other way than those that
 * went on. Sorted by commit.
 */
export function highestMarks({
  identity,
  members,
}: Pick<ClusterSnapshot, "identity" | "members">): readonly MachineMark[] {
  const epoch = identity?.epoch ?? 1;
  const marks = members.flatMap((member) => {
    const commit = markOfMember(member);
    return commit === null || (member.acceptedEpoch ?? 1) !== epoch ? [] : [{ ...member, commit }];
  });
  const highest = Math.max(0, ...marks.map(({ acceptedSeq }) => acceptedSeq));
  const first = new Map<CommitId, string>();
  for (const { acceptedSeq, commit, name } of marks)
    if (acceptedSeq === highest && !first.has(commit)) first.set(commit, name);
  return [...first]
    .map(([commit, machine]) => ({ commit, machine }))
    .sort((a, b) => compareText(a.commit, b.commit))
    .slice(0, MARKS_MAX);
}

/** The commit that a machine took last, also where it has forgotten it since; null where it says none that could be one. */
export function markOfMember({ acceptedCommit }: Pick<Member, "acceptedCommit">): CommitId | null {
  return typeof acceptedCommit === "string" && /^[0-9a-f]{40}$/.test(acceptedCommit) ? acceptedCommit : null;
}
