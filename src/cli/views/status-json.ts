import type { ClusterView } from "../cluster-view.ts";
import { rolloutNow } from "../rollout-now.ts";
import { holdUntil } from "./hold-until.ts";
import { absentSince, type UnitRow } from "./unit-rows.ts";

/** `fleet status --json`, and the API's `/v1/status`: how the cluster is, at `nowMs` since 1970. */
export function statusJson(view: ClusterView, rows: readonly UnitRow[], nowMs: number): object {
  return {
    ...view.snapshot,
    members: view.snapshot.members.map((member) => ({
      ...member,
      absentSince: member.present ? null : absentSince(member.id, view.report),
    })),
    units: rows,
    holds: view.holds.map((hold) => ({ ...hold, until: holdUntil(hold) })),
    refused: view.refused,
    leader: view.leader,
    report: view.report,
    rollout: rolloutNow(view.snapshot, view.report, nowMs),
    quarantined: view.quarantined,
  };
}
