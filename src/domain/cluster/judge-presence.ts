import type { MachineId } from "../names.ts";
import type { LossPolicy } from "../spec/cluster-spec.ts";
import type { Member } from "./cluster-snapshot.ts";

/** What one judge has seen with its own eyes. Milliseconds of one monotonic clock; a new leader starts a new history. */
export interface PresenceHistory {
  /** When this judge began to watch: its first full read as leader, or the end of the last time nobody was there. */
  readonly watchingSinceMs: number;
  /** For each machine that is absent now: when this judge first saw it so. */
  readonly absentSinceMs: ReadonlyMap<MachineId, number>;
}

export interface PresenceVerdict {
  readonly lost: ReadonlySet<MachineId>;
  readonly history: PresenceHistory;
}

/** The history of a judge that has just read the cluster for the first time. */
export function startPresenceHistory(nowMs: number): PresenceHistory {
  return { watchingSinceMs: nowMs, absentSinceMs: new Map() };
}

/**
 * Which machines are lost, so that their movable units go elsewhere: those absent for the whole grace while this judge looked,
 * and never before it has watched for one lease and the grace, because after an election or a restored registry every
 * agent needs up to one lease to show itself again. Silence of all machines at once says more about the registry than
 * about the machines: then nobody is lost, and the watch begins anew with the first that returns.
 */
export function judgePresence(
  history: PresenceHistory,
  members: readonly Member[],
  nowMs: number,
  policy: LossPolicy,
): PresenceVerdict {
  if (!members.some((member) => member.present)) return { lost: new Set(), history: startPresenceHistory(nowMs) };
  const absentSinceMs = new Map<MachineId, number>();
  for (const member of members) {
    if (!member.present) absentSinceMs.set(member.id, history.absentSinceMs.get(member.id) ?? nowMs);
  }
  const held = nowMs - history.watchingSinceMs < policy.agentTtlMs + policy.graceMs;
  const lost = [...absentSinceMs].filter(([, since]) => !held && nowMs - since >= policy.graceMs).map(([id]) => id);
  return { lost: new Set(lost.sort()), history: { watchingSinceMs: history.watchingSinceMs, absentSinceMs } };
}
