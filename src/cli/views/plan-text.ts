import type { Effect, Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { type ChangeGroup, changeGroups } from "./change-rows.ts";
import { counted } from "./counted.ts";
import { brokenLines, driftLine, headline, lossLines, refusalLines, unplacedLines, waveLines } from "./plan-lines.ts";
import { printable } from "./printable.ts";

/** How a terminal is: null is a pipe, where lines may be as long as they are and nothing is coloured. */
export interface Terminal {
  readonly columns: number;
  readonly colour: boolean;
}

/** Rows of one effect before the rest is counted: more than a screen is not read, and the JSON has all. */
const ROWS_MAX = 50;

/** The plan for people. One line where nothing changes; else every change by what it does to what runs, worst first, with machine and reason. */
export function planText(report: PlanReport, terminal: Terminal | null = null): string {
  const { plan } = report;
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  if (plan.changes.length === 0 && plan.unplaced.length === 0 && plan.unknown.length === 0) return quietText(report);
  const parts = [
    [headText(report)],
    changeLines(changeGroups(plan), terminal),
    unknownLines(plan),
    unplacedLines(plan.unplaced),
    brokenLines(report.broken),
    awayLines(plan),
    waveLines(plan, names),
    refusalLines(plan),
    [...(plan.unknown.length > 0 ? [] : [headline(plan)]), ...lossLines(report, names), ...driftLine(report)],
  ];
  const texts = parts.map((lines) => lines.map(printableLine).join("\n"));
  return texts.filter((text) => text !== "").join("\n\n");
}

/** Exactly one line, however much there is to a cluster. */
function quietText({ plan, revision, drift }: PlanReport): string {
  const where = `${counted(plan.counts.unchanged, "unit")} on ${counted(plan.machines.length, "machine")}`;
  const away = awayNames(plan);
  const notes = [
    ...(away.length === 0 ? [] : [`away: ${away.join(", ")}`]),
    ...(drift.length === 0 ? [] : [`drift: ${drift.length} (--json says what)`]),
  ];
  const partial = plan.partial === null ? "" : ` (${plan.partial})`;
  return printable(
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

/** Effect and count once, in front of its first row. On a terminal the reason is cut, never the unit or the machine. */
function changeLines(groups: readonly ChangeGroup[], terminal: Terminal | null): string[] {
  const rows = groups.flatMap(({ effect, count, rows }) => {
    const shown = rows.slice(0, ROWS_MAX).map(({ sign, unit, where, why }, index) => ({
      effect,
      cells: [index === 0 ? effect : "", index === 0 ? String(count) : "", sign, unit, where],
      why,
    }));
    const more = rows.length - ROWS_MAX;
    const rest = { effect, cells: ["", "", "", `… and ${more} more (--json has all)`, ""], why: "" };
    return more > 0 ? [...shown, rest] : shown;
  });
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map(({ cells }) => cells[column]!.length)));
  return rows.map(({ effect, cells, why }) => {
    const [label, count, ...others] = cells.map((cell, column) =>
      column === 1 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    );
    const front = [label, count, others[0], others.slice(1).join("  ")].join("  ");
    return coloured(effect, cut(`${front}  ${why}`.trimEnd(), terminal), label!.length, terminal);
  });
}

function cut(line: string, terminal: Terminal | null): string {
  return terminal === null || line.length <= terminal.columns ? line : `${line.slice(0, terminal.columns - 1)}…`;
}

/** Red for what goes down, yellow for what is touched, green for what comes; nothing is said by colour alone. */
const COLOURS: Readonly<Record<Effect, number>> = {
  stop: 31,
  move: 33,
  restart: 33,
  reload: 36,
  "daemon-reload": 36,
  start: 32,
  adopt: 32,
  quiet: 2,
};

/** Only the label: the rest comes from the repository, and is made printable with the line. */
function coloured(effect: Effect, line: string, labelWidth: number, terminal: Terminal | null): string {
  if (terminal?.colour !== true || line.startsWith(" ")) return line;
  return `${COLOUR_START}${COLOURS[effect]}m${line.slice(0, labelWidth)}${COLOUR_END}${line.slice(labelWidth)}`;
}

const COLOUR_START = "\u001b[";
const COLOUR_END = "\u001b[0m";

/** Names and reasons of the repository cannot steer the terminal; our own colour may. */
function printableLine(line: string): string {
  const match = /^(\u001b\[\d+m)([^\u001b]*)(\u001b\[0m)(.*)$/s.exec(line);
  return match === null ? printable(line) : `${match[1]}${printable(match[2]!)}${match[3]}${printable(match[4]!)}`;
}

/** With no machines nothing can be placed yet: what would run, and the one step that is missing. */
function unknownLines({ unknown }: Plan): string[] {
  if (unknown.length === 0) return [];
  const units = unknown.slice(0, ROWS_MAX).map((unit) => `+  ${unit}`);
  const more = unknown.length > ROWS_MAX ? [`… and ${unknown.length - ROWS_MAX} more (--json has all)`] : [];
  return [
    ...units,
    ...more,
    "",
    `no cluster yet: ${counted(unknown.length, "unit")}, 0 machines. Which machine runs what is known once one has joined;`,
    "try it on this machine: fleet lab up --machines 3",
  ];
}

/** Units of a machine that is away stay its own until the engine finds it lost; a plan does not foresee that. */
function awayLines({ machines, placements }: Plan): string[] {
  const holding = new Set(placements.map((placement) => placement.machine));
  const away = awayNames({ machines: machines.filter((machine) => holding.has(machine.id)) });
  return away.length === 0 ? [] : [`away: ${away.join(", ")}; this plan leaves there what is there`];
}

function awayNames({ machines }: Pick<Plan, "machines">): string[] {
  return machines.filter((machine) => !machine.present).map((machine) => machine.name);
}
