import type { ClusterSnapshot, Member } from "../cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../names.ts";

/** How far the commit in force has come among the machines, each counted once. */
export interface CommitSpread {
  readonly of: number;
  /** Present, have taken the release, and run what they were given of it in the version they were given it. */
  readonly on: number;
  /** Neither on it nor rolled back: away, or behind. */
  readonly behind: number;
  /** How old the oldest news of those is, in milliseconds; null: of one of them nobody knows. 0 where there are none. */
  readonly oldestNewsMs: number | null;
  /** Names of machines that were cut off by it and went back by themselves; sorted. */
  readonly rolledBack: readonly string[];
}

/** `newsMs`: how old the last news of a machine is, in milliseconds; null: nobody knows. Without a release nobody is behind it. */
export function commitSpread(
  { release, members, sets, statuses }: Pick<ClusterSnapshot, "release" | "members" | "sets" | "statuses">,
  newsMs: (member: Member) => number | null,
): CommitSpread {
  const seen = new Map(statuses.map(({ machine, unit, hash }) => [`${machine}/${unit}`, hash]));
  const runsOther = (id: MachineId) =>
    (sets.find(({ machine }) => machine === id)?.placements ?? []).some(({ unit, hash }) => {
      const runs = seen.get(`${id}/${unit}`) ?? null;
      return runs !== null && runs !== hash;
    });
  const rolledBack = members.filter(({ problem }) => problem?.code === "not-confirmed");
  const others = members.filter((member) => !rolledBack.includes(member));
  const behind = others.filter(
    ({ id, present, acceptedSeq, problem }) =>
      !present || acceptedSeq < (release?.seq ?? 0) || problem != null || runsOther(id),
  );
  const news = behind.map(newsMs);
  const known = news.filter((ms) => ms !== null);
  return {
    of: members.length,
    on: others.length - behind.length,
    behind: behind.length,
    oldestNewsMs: known.length < news.length ? null : Math.max(0, ...known),
    rolledBack: rolledBack.map(({ name }) => name).sort(compareText),
  };
}
