import { NO_ROLLOUTS, rolloutInForce } from "../domain/rollout/rollouts.ts";
import type { GaugeValue } from "../ports/meter.ts";
import type { ClusterPicture, ShownUnit } from "./cluster-picture.ts";

/** systemd's words for it (systemctl --state=help); any other is one of a systemd of tomorrow. */
const ACTIVE: ReadonlySet<string> = new Set([
  ...["active", "reloading", "inactive", "failed", "activating", "deactivating", "maintenance", "refreshing"],
]);

/** How the cluster is, as gauges. A value nothing has is not there. */
export function clusterGauges({ snapshot, rows, report }: ClusterPicture): GaugeValue[] {
  const { release, members } = snapshot;
  const present = members.filter((member) => member.present);
  return [
    { name: "fleet_machines", labels: { presence: "present" }, value: present.length },
    { name: "fleet_machines", labels: { presence: "absent" }, value: members.length - present.length },
    ...counted("fleet_units", rows, (row) => ({ state: row.state, active: activeOf(row) })),
    { name: "fleet_units_with_problem", value: rows.filter(({ problem }) => problem !== null).length },
    ...counted("fleet_units_drifted", rows, ({ drift }) => (drift === null ? null : { outcome: drift.outcome })),
    { name: "fleet_units_unplaced", value: (report?.unplaced ?? []).reduce((sum, { units }) => sum + units.length, 0) },
    ...flag("fleet_sync_held", report?.sync?.held !== undefined),
    ...flag("fleet_sync_trouble", report?.sync?.trouble !== undefined),
    ...flag("fleet_outage", report?.loss?.outage != null),
    ...(release === null ? [] : releaseGauges(snapshot, release)),
  ];
}

function releaseGauges(
  { rollouts = NO_ROLLOUTS, members }: ClusterPicture["snapshot"],
  release: NonNullable<ClusterPicture["snapshot"]["release"]>,
): GaugeValue[] {
  const madeMs = Date.parse(release.at);
  const { phase } = rolloutInForce(rollouts, release, "").record;
  const behind = members.filter(({ present, acceptedSeq }) => present && acceptedSeq < release.seq);
  return [
    { name: "fleet_release_seq", value: release.seq },
    ...(Number.isNaN(madeMs) ? [] : [{ name: "fleet_release_timestamp_seconds", value: madeMs / 1_000 } as const]),
    { name: "fleet_machines_behind", value: behind.length },
    { name: "fleet_rollout_phase", labels: { phase }, value: 1 },
  ];
}

function activeOf({ machine, news, active }: ShownUnit): string {
  if (machine === null) return "inactive";
  if (news !== "current") return "unknown";
  return ACTIVE.has(active) ? active : "other";
}

function counted(
  name: "fleet_units" | "fleet_units_drifted",
  rows: readonly ShownUnit[],
  labelsOf: (row: ShownUnit) => Readonly<Record<string, string>> | null,
): GaugeValue[] {
  const counts = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  for (const row of rows) {
    const labels = labelsOf(row);
    if (labels === null) continue;
    const key = Object.values(labels).join(" ");
    const count = counts.get(key) ?? { labels, value: 0 };
    count.value += 1;
    counts.set(key, count);
  }
  return [...counts.values()].map(({ labels, value }) => ({ name, labels, value }));
}

function flag(name: "fleet_sync_held" | "fleet_sync_trouble" | "fleet_outage", isSo: boolean): GaugeValue[] {
  return [{ name, value: isSo ? 1 : 0 }];
}
