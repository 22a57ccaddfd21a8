import type { Member } from "../../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../../domain/names.ts";
import type { ClusterView } from "../cluster-view.ts";
import { rolloutNow } from "../rollout-now.ts";
import { commitSpreadLines } from "./commit-spread-text.ts";
import { driftText, driftWord } from "./drift-text.ts";
import { agoText, durationText } from "./duration-text.ts";
import { engineReportLines } from "./engine-report-text.ts";
import { wrapText } from "./fit-width.ts";
import { healthText } from "./health-text.ts";
import { heldText, holdsText } from "./holds-text.ts";
import { doubleLines, unrecordedLines } from "./machine-lines.ts";
import { machineText } from "./machine-text.ts";
import { printable } from "./printable.ts";
import { rewoundLines } from "./rewound-text.ts";
import { rolloutSection } from "./rollout-text.ts";
import { sinceText } from "./since-text.ts";
import { table } from "./table.ts";
import { absentSince, activeText, type UnitRow } from "./unit-rows.ts";

/** The cluster in one screen, at `nowMs` of the wall clock: release, leader, machines, counts, then whatever is not as it should be. */
export function clusterStatusText(
  view: ClusterView,
  rows: readonly UnitRow[],
  nowMs: number,
  columns: number | null = null,
): string {
  const { snapshot, leader, report } = view;
  const { identity, release, members } = snapshot;
  if (identity === null || release === null) {
    const told = [
      ...(report?.problem == null ? [] : [`engine: ${report.problem}`]),
      ...members.flatMap((member) => problemText(member, nowMs)),
    ];
    if (told.length === 0) return "no release yet: fleet apply makes the first";
    return ["the registry holds no release", ...told].map(printable).join("\n");
  }
  const present = members.filter((member) => member.present).length;
  const leaderName = members.find((member) => member.id === leader?.machine)?.name ?? leader?.machine;
  const head = [
    `${identity.name}  release ${release.seq}  commit ${release.commit.slice(0, 7)}  by ${release.by} at ${release.at}`,
    `engine ${leaderName === undefined ? "none leads: nothing is placed or moved" : [`${leaderName} leads, term ${leader?.term}`, sinceText(report?.since ?? null, nowMs)].filter(Boolean).join(", ")}`,
    `machines ${present} of ${members.length} present${freshnessText(members)}`,
    ...commitSpreadLines(view, nowMs),
    `units ${countsText(rows)}`,
  ].map(printable);
  const troubles = [
    ...(report?.problem == null ? [] : [`engine: ${report.problem}`]),
    ...members
      .filter((member) => !member.present)
      .map((member) => absentText(member, absentSince(member.id, report), nowMs)),
    ...members.flatMap((member) => problemText(member, nowMs)),
    ...doubleLines(members, view.refused),
    ...unrecordedLines(members),
    ...rewoundLines(members, nowMs),
    ...members
      .filter((member) => member.present && member.acceptedSeq < release.seq)
      .map((member) => `${member.name} follows ${releaseText(member.acceptedSeq)}, not yet release ${release.seq}`),
    ...(view.holds.length === 0
      ? []
      : [holdsText(view.holds, new Map(members.map(({ id, name }) => [id, name])), nowMs)]),
    ...rolloutSection(rolloutNow(snapshot, report, nowMs), nameIn(members), nowMs),
    ...(report === null ? [] : engineReportLines(report, new Map(members.map(({ id, name }) => [id, name])), nowMs)),
    ...view.quarantined.map(({ key, problem }) => `record ${key} cannot be read: ${problem}`),
  ].map(printable);
  const body = table(
    ["unit", "machine", "active", "sub", "problem"],
    rows.map((row) => [row.unit, machineText(row, false), activeText(row), row.sub, whatIsWrong(row)]),
    columns,
  );
  return [wrapText([...head, ...troubles].join("\n"), columns), ...(rows.length === 0 ? [] : ["", body])].join("\n");
}

function nameIn(members: readonly Member[]): (machine: MachineId) => string {
  return (machine) => members.find(({ id }) => id === machine)?.name ?? machine;
}

function countsText(rows: readonly UnitRow[]): string {
  const count = (of: (row: UnitRow) => boolean) => rows.reduce((sum, row) => (of(row) ? sum + 1 : sum), 0);
  const unplaced = count((row) => row.machine === null && row.goal !== "inactive");
  const failed = count((row) => row.problem !== null);
  const drifted = count(({ drift }) => drift !== null && drift.outcome !== "corrected");
  const unhealthy = count((row) => isUnhealthy(row) && row.health?.state === "failing");
  const old = count((row) => row.active === "active" && row.news === "old");
  const parts = [
    `${count((row) => row.machine !== null)} placed`,
    `${count((row) => row.active === "active" && row.news === "current")} active`,
    ...(old > 0 ? [`${old} active when last heard of`] : []),
    ...(failed > 0 ? [`${failed} with a problem`] : []),
    ...(unhealthy > 0 ? [`${unhealthy} unhealthy`] : []),
    ...(drifted > 0 ? [`${drifted} changed by hand`] : []),
    ...(unplaced > 0 ? [`${unplaced} not placed`] : []),
  ];
  return parts.join(", ");
}

/** How old what present machines say may be; one that is silent for longer counts as absent. */
function freshnessText(members: readonly Member[]): string {
  const heard = members.flatMap(({ present, heardWithinMs }) => (present ? [heardWithinMs ?? null] : []));
  if (heard.length === 0) return "";
  const known = heard.filter((ms) => ms !== null);
  if (known.length < heard.length) return "";
  return `, heard from within the last ${durationText(Math.max(...known))}`;
}

function absentText({ name }: Member, since: string | null, nowMs: number): string {
  const when =
    since === null ? ", and no engine can say since when" : ` since ${since} or before (${agoText(since, nowMs)})`;
  return `${name} is absent${when}: what it said last is shown below`;
}

function problemText({ name, problem }: Member, nowMs: number): string[] {
  if (problem == null) return [];
  const since = problem.since === undefined ? "" : `, since ${problem.since} (${agoText(problem.since, nowMs)})`;
  return [`${name}: ${problem.code}: ${problem.detail}${since}`];
}

function releaseText(seq: number): string {
  return seq === 0 ? "no release" : `release ${seq}`;
}

/** The worst that is to be said of it, in a word or two. */
function whatIsWrong(row: UnitRow): string {
  if (row.problem !== null) return row.problem.code;
  if (row.machine === null) return row.goal === "inactive" ? "" : "not placed";
  if (row.hold !== null) return "held";
  if (row.drift !== null && row.drift.outcome !== "corrected") return driftWord(row.drift);
  if (isUnhealthy(row)) return row.health?.state === "failing" ? "unhealthy" : "not healthy yet";
  return row.news !== "none" && row.hash !== row.wantedHash ? "other version" : "";
}

/** What is down is told as that. */
function isUnhealthy({ active, health }: UnitRow): boolean {
  return active === "active" && health !== null && health.state !== "passing";
}

/** One unit on one machine, in the manner of `systemctl status`, at `nowMs` of the wall clock. */
export function unitStatusText(row: UnitRow, nowMs: number): string {
  const isBad =
    row.problem !== null || row.active === "failed" || (isUnhealthy(row) && row.health?.state === "failing");
  const sign = isBad ? "x" : row.active === "active" ? "*" : "o";
  const lines = [
    `${sign} ${row.unit}${row.machine === null ? " - not placed" : ` on ${machineText(row, false)}`}`,
    `    goal: ${row.goal}`,
    ...(row.machine === null ? [] : [`  loaded: ${row.load || "unknown"}  ${hashText(row)}`]),
    ...(row.machine === null
      ? []
      : [
          `  active: ${row.active || "unknown"} (${row.sub || "unknown"})${row.since === "" ? "" : ` since ${row.since}`}`,
          ...newsText(row, nowMs),
        ]),
    ...(row.health === null || row.active !== "active" ? [] : [`  health: ${healthText(row.health)}`]),
    ...(row.hold === null ? [] : [`    held: ${heldText(row.hold, nowMs)}`]),
    ...(row.drift === null ? [] : [`   drift: ${driftText(row.drift)}`]),
    ...(row.result === "" || row.result === "success" ? [] : [`  result: ${row.result}`]),
    ...(row.problem === null ? [] : [` problem: ${row.problem.code}: ${row.problem.detail}`]),
    ...(row.problem?.journal ?? []).map((line) => `    | ${line}`),
  ];
  return lines.map(printable).join("\n");
}

function newsText({ news, oldSince, present, machineName }: UnitRow, nowMs: number): string[] {
  if (news === "current") return [];
  if (news === "none") return ["    seen: never"];
  const why = present ? `the agent on ${machineName} cannot look` : `${machineName} is absent`;
  return [`    seen: before ${oldSince === null ? "now" : `${oldSince} (${agoText(oldSince, nowMs)})`}: ${why}`];
}

function hashText(row: UnitRow): string {
  const wanted = row.wantedHash?.slice(0, 7) ?? "";
  return row.hash === null || row.hash === row.wantedHash ? wanted : `${row.hash.slice(0, 7)}, wanted ${wanted}`;
}
