import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import { type CommitSpread, commitSpread } from "../../domain/report/commit-spread.ts";
import type { EngineReport } from "../../domain/report/engine-report.ts";
import type { ClusterView } from "../cluster-view.ts";
import { durationText } from "./duration-text.ts";
import { absentSince } from "./unit-rows.ts";

/** Machines a line names; the others are counted. */
const NAMED_MAX = 5;

/** How far the commit in force has come, in a line; nothing where it is everywhere. `nowMs`: the wall clock's. */
export function commitSpreadLines(
  { snapshot, report }: Pick<ClusterView, "snapshot" | "report">,
  nowMs: number,
): string[] {
  const { release } = snapshot;
  if (release === null) return [];
  const spread = commitSpread(snapshot, (member) => newsMs(member, report, nowMs));
  return spread.on === spread.of ? [] : [spreadText(release.commit.slice(0, 7), spread)];
}

/** How old the last news of a machine is: `3 s ago`; `-` where nobody knows. */
export function heardText(member: Member, report: EngineReport | null, nowMs: number): string {
  const ms = newsMs(member, report, nowMs);
  return ms === null ? "-" : `${durationText(ms)} ago`;
}

function newsMs({ id, present, heardWithinMs }: Member, report: EngineReport | null, nowMs: number): number | null {
  // An older agent that does not say is there by its lease, all the same.
  if (present) return heardWithinMs ?? 0;
  const sinceMs = Date.parse(absentSince(id, report) ?? "");
  return Number.isNaN(sinceMs) ? null : Math.max(0, nowMs - sinceMs);
}

function spreadText(commit: string, { of, on, behind, oldestNewsMs, rolledBack }: CommitSpread): string {
  const news = oldestNewsMs === null ? "oldest news of unknown age" : `oldest news ${durationText(oldestNewsMs)}`;
  const more = rolledBack.length > NAMED_MAX ? ` and ${rolledBack.length - NAMED_MAX} more` : "";
  const parts = [
    `${on} of ${of} on ${commit}`,
    ...(behind === 0 ? [] : [`${behind} catching up (${news})`]),
    ...(rolledBack.length === 0
      ? []
      : [
          `${rolledBack.length} rolled back: ${rolledBack.slice(0, NAMED_MAX).join(", ")}${more} lost contact and restored what ran`,
        ]),
  ];
  return parts.join(", ");
}
