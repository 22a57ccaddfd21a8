import type { ClusterView } from "../cluster-view.ts";
import { holdsText } from "./holds-text.ts";
import { machineText } from "./machine-text.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";
import { activeText, type UnitRow } from "./unit-rows.ts";

/** The cluster in one screen, at `nowMs` of the wall clock: release, leader, machines, counts, then whatever is not as it should be. */
export function clusterStatusText(view: ClusterView, rows: readonly UnitRow[], nowMs: number): string {
  const { snapshot, leader, report } = view;
  const { identity, release, members } = snapshot;
  if (identity === null || release === null) return "no release yet: fleet apply makes the first";
  const present = members.filter((member) => member.present).length;
  const leaderName = members.find((member) => member.id === leader?.machine)?.name ?? leader?.machine;
  const head = [
    `${identity.name}  release ${release.seq}  commit ${release.commit.slice(0, 7)}  by ${release.by} at ${release.at}`,
    `engine ${leaderName === undefined ? "none leads: nothing is placed or moved" : `${leaderName} leads, term ${leader?.term}`}`,
    `machines ${present} of ${members.length} present`,
    `units ${countsText(rows)}`,
  ].map(printable);
  const troubles = [
    ...(report?.problem == null ? [] : [`engine: ${report.problem}`]),
    ...members
      .filter((member) => !member.present)
      .map((member) => `${member.name} is absent: what it said last is shown below`),
    ...members
      .filter((member) => member.problem != null)
      .map((member) => `${member.name}: ${member.problem?.code}: ${member.problem?.detail}`),
    ...(view.holds.length === 0
      ? []
      : [holdsText(view.holds, new Map(members.map(({ id, name }) => [id, name])), nowMs)]),
    ...view.quarantined.map(({ key, problem }) => `record ${key} cannot be read: ${problem}`),
  ].map(printable);
  const body = table(
    ["unit", "machine", "active", "sub", "problem"],
    rows.map((row) => [
      row.unit,
      machineText(row, false),
      activeText(row),
      row.sub,
      row.problem?.code ?? (row.machine === null && row.goal !== "inactive" ? "not placed" : ""),
    ]),
  );
  return [...head, ...troubles, ...(rows.length === 0 ? [] : ["", body])].join("\n");
}

function countsText(rows: readonly UnitRow[]): string {
  const count = (of: (row: UnitRow) => boolean) => rows.filter(of).length;
  const failed = count((row) => row.problem !== null);
  const parts = [
    `${count((row) => row.machine !== null)} placed`,
    `${count((row) => row.active === "active")} active`,
    ...(failed > 0 ? [`${failed} with a problem`] : []),
    ...(count((row) => row.machine === null && row.goal !== "inactive") > 0
      ? [`${count((row) => row.machine === null && row.goal !== "inactive")} not placed`]
      : []),
  ];
  return parts.join(", ");
}

/** One unit on one machine, in the manner of `systemctl status`. */
export function unitStatusText(row: UnitRow): string {
  const sign = row.problem !== null || row.active === "failed" ? "x" : row.active === "active" ? "*" : "o";
  const lines = [
    `${sign} ${row.unit}${row.machine === null ? " - not placed" : ` on ${machineText(row, false)}`}`,
    `    goal: ${row.goal}`,
    ...(row.machine === null ? [] : [`  loaded: ${row.load || "unknown"}  ${hashText(row)}`]),
    ...(row.machine === null
      ? []
      : [
          `  active: ${row.active || "unknown"} (${row.sub || "unknown"})${row.since === "" ? "" : ` since ${row.since}`}`,
        ]),
    ...(row.result === "" || row.result === "success" ? [] : [`  result: ${row.result}`]),
    ...(row.problem === null ? [] : [` problem: ${row.problem.code}: ${row.problem.detail}`]),
    ...(row.problem?.journal ?? []).map((line) => `    | ${line}`),
  ];
  return lines.map(printable).join("\n");
}

function hashText(row: UnitRow): string {
  const wanted = row.wantedHash?.slice(0, 7) ?? "";
  return row.hash === null || row.hash === row.wantedHash ? wanted : `${row.hash.slice(0, 7)}, wanted ${wanted}`;
}
