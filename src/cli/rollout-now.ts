import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import { type RolloutStatus, rolloutStatus } from "../domain/report/rollout-status.ts";

/** How far the rollout of the release in force is, at `nowMs` since 1970. */
export function rolloutNow(
  snapshot: Pick<ClusterSnapshot, "release" | "rollouts">,
  report: EngineReport | null,
  nowMs: number,
): RolloutStatus | null {
  return rolloutStatus(snapshot, report, nowMs, (ms) => new Date(ms).toISOString());
}
