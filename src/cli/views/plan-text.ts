import type { Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { changeGroups } from "./change-rows.ts";
import { changeLines } from "./change-table.ts";
import { counted } from "./counted.ts";
import { wrapWords } from "./fit-width.ts";
import { imageLines } from "./image-lines.ts";
import {
  awayLines,
  awayNames,
  brokenLines,
  driftLine,
  headline,
  lossLines,
  partitionLines,
  refusalLines,
  ringLines,
  stayingPlacements,
  stayLines,
  trialLines,
  unplacedLines,
  waveLines,
} from "./plan-lines.ts";
import { printableLine } from "./printable.ts";
import { stoppedReleaseLines } from "./stopped-release-text.ts";
import type { Terminal } from "./terminal.ts";

/** Units named where no machine is known yet, before the rest is counted. */
const UNKNOWN_SHOWN_MAX = 50;

/** The plan for people. One line where nothing changes; else every change by what it does to what runs, worst first, with machine and reason. */
export function planText(report: PlanReport, terminal: Terminal | null = null): string {
  const { plan } = report;
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  if (plan.changes.length === 0 && plan.unplaced.length === 0 && plan.unknown.length === 0) return quietText(report);
  const closing = [
    ...(plan.unknown.length > 0 ? [] : [headline(plan)]),
    ...lossLines(report, names),
    ...partitionLines(report),
    ...driftLine(report),
  ];
  const prose = [
    unknownLines(plan),
    unplacedLines(plan.unplaced),
    brokenLines(report.broken),
    awayLines(plan),
    stayLines(plan),
    [...ringLines(plan), ...waveLines(plan, names)],
    imageLines(report),
    trialLines(report, names),
    refusalLines(plan),
    closing,
  ];
  const parts = [
    proseLines([headText(report), ...stoppedReleaseLines(report)], terminal),
    changeLines(changeGroups(plan), terminal),
    ...prose.map((lines) => proseLines(lines, terminal)),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

/** Names and reasons of the repository cannot steer the terminal, nor pass for lines of ours. */
function proseLines(lines: readonly string[], terminal: Terminal | null): string[] {
  const safe = lines.map(printableLine);
  return terminal === null ? safe : safe.flatMap((line) => wrapWords(line, terminal.columns));
}

/** Exactly one line, however much there is to a cluster. */
function quietText({ plan, revision, drift, stopped }: PlanReport): string {
  const where = `${counted(plan.counts.unchanged, "unit")} on ${counted(plan.machines.length, "machine")}`;
  const away = awayNames(plan);
  const staying = stayingPlacements(plan).length;
  const notes = [
    ...(away.length === 0 ? [] : [`away: ${away.join(", ")}`]),
    ...(staying === 0 ? [] : [`${counted(staying, "unit")} ${staying === 1 ? "stays" : "stay"} on drained machines`]),
    ...stoppedReleaseLines(stopped === undefined ? {} : { stopped }).map((line) => line.slice(2)),
    ...(drift.length === 0 ? [] : [`drift: ${drift.length} (--json says what)`]),
  ];
  const partial = plan.partial === null ? "" : ` (${plan.partial})`;
  return printableLine(
    `${plan.cluster}${partial}: no changes. ${where} match ${plan.commit.slice(0, 7)}${registryText(revision)}${notes.map((note) => `; ${note}`).join("")}.`,
  );
}

function headText({ plan, revision }: PlanReport): string {
  const was = plan.base.releaseCommit === null ? "no release yet" : `was ${plan.base.releaseCommit.slice(0, 7)}`;
  const partial = plan.partial === null ? "" : `  a view of ${plan.partial}: cannot be applied`;
  return `${plan.cluster}  commit ${plan.commit.slice(0, 7)}  ${was}  ${counted(plan.machines.length, "machine")}${registryText(revision)}${partial}`;
}

function registryText(revision: number): string {
  return revision === 0 ? "" : ` (registry ${revision})`;
}

/** With no machines nothing can be placed yet: what would run, and the one step that is missing. */
function unknownLines({ unknown }: Plan): string[] {
  if (unknown.length === 0) return [];
  const units = unknown.slice(0, UNKNOWN_SHOWN_MAX).map((unit) => `+  ${unit}`);
  const more =
    unknown.length > UNKNOWN_SHOWN_MAX ? [`… and ${unknown.length - UNKNOWN_SHOWN_MAX} more (--json has all)`] : [];
  return [
    ...units,
    ...more,
    "",
    `no cluster yet: ${counted(unknown.length, "unit")}, 0 machines. Which machine runs what is known once one has joined;`,
    "try it on this machine: fleet lab up --machines 3",
  ];
}
