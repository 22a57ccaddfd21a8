import type { MachineId } from "../../domain/names.ts";
import type {
  EngineReport,
  LossReport,
  LostMachine,
  ReportList,
  UnplacedGroup,
} from "../../domain/report/engine-report.ts";
import { counted } from "./counted.ts";
import { describeFix, describeReject } from "./describe-reason.ts";
import { durationText } from "./duration-text.ts";
import { closedText, deviationText, stuckHandOffText, unitsText, waitText } from "./engine-wait-text.ts";
import { rebootText } from "./reboot-text.ts";
import { sinceText } from "./since-text.ts";
import { syncTexts } from "./sync-text.ts";

/** A screen has no room for more of one kind; the JSON has them, and `fleet why` answers for each. */
const LINES_MAX = 8;
const UNITS_NAMED_MAX = 4;

type NameOf = (machine: MachineId) => string;

/** What the engine reports beside its problem, each kind under a label, aligned; nothing where there is nothing. */
export function engineReportLines(
  report: EngineReport,
  names: ReadonlyMap<MachineId, string>,
  nowMs: number,
): string[] {
  const nameOf: NameOf = (machine) => names.get(machine) ?? machine;
  const { loss, waits = [], stuckHandOffs = [], closed = [], deviations = [], reboots = [], unplaced } = report;
  const { unlisted = [] } = report;
  const missing = loss?.machines.filter(({ presence, flapping }) => presence !== "present" || flapping !== null) ?? [];
  const rows: [label: string, list: ReportList | null, texts: readonly string[]][] = [
    ["branch", null, report.sync === undefined ? [] : syncTexts(report.sync, nowMs)],
    ["losses", null, loss === undefined ? [] : lossTexts(loss, nowMs)],
    ["missing", "machines", missing.flatMap((machine) => missingText(machine, nameOf, nowMs))],
    ["not placed", "unplaced", unplaced.map((one) => unplacedText(one, nowMs))],
    [
      "waits",
      "waits",
      waits.map(
        (wait) =>
          `${unitsText(wait.units, wait.more, UNITS_NAMED_MAX)}: ${aged(waitText(wait, nameOf), wait.since, nowMs)}`,
      ),
    ],
    ["stuck", "stuckHandOffs", stuckHandOffs.map((one) => aged(stuckHandOffText(one, nameOf), one.since, nowMs))],
    ["restarts", null, reboots.map((one) => rebootText(one, nameOf, nowMs))],
    ["closed", "closed", closed.map((one) => closedText(one, nameOf))],
    ["unlisted", null, unlisted.map(({ machine, key, since }) => aged(`${machine} with key ${key}`, since, nowMs))],
    ["elsewhere", "deviations", deviations.map((one) => aged(deviationText(one, nameOf), one.since, nowMs))],
  ];
  const cells = Math.max(...rows.map(([label]) => label.length));
  return rows.flatMap(([label, list, texts]) => {
    const left = Math.max(0, texts.length - LINES_MAX) + (list === null ? 0 : (report.more?.[list] ?? 0));
    const shown = [...texts.slice(0, LINES_MAX), ...(left > 0 ? [`and ${left} more`] : [])];
    return shown.map((text, index) => `${(index === 0 ? label : "").padEnd(cells)}  ${text}`);
  });
}

function aged(text: string, since: string, nowMs: number): string {
  return `${text}, ${sinceText(since, nowMs)}`;
}

function lossTexts({ mode, outage, hold, budget }: LossReport, nowMs: number): string[] {
  return [
    ...(outage === null || mode === "normal"
      ? []
      : [
          aged(
            `${mode === "full-outage" ? "full" : "partial"} outage: ${outage.missing} of ${counted(outage.of, "machine")} missing at once, nothing moves before ${outage.endsAt === 0 ? "all are back" : `no more than ${outage.endsAt} are`}`,
            outage.since,
            nowMs,
          ),
        ]),
    ...(hold === null ? [] : [`nothing is lost before ${untilText(hold.until, nowMs)}: ${HOLDS[hold.because]}`]),
    ...(budget === null
      ? []
      : [
          `${counted(budget.unitsSpent, "unit")} of ${counted(budget.machines, "machine")} moved lately; beyond ${budget.unitsMax}, those of other machines wait`,
        ]),
  ];
}

const HOLDS: Readonly<Record<NonNullable<LossReport["hold"]>["because"], string>> = {
  elected: "the engine has just been elected",
  registry: "the registry was away",
  outage: "an outage has just ended",
};

/** What becomes of the units of one that is missing. */
export function missingText(
  { machine, presence, waits, flapping }: LostMachine,
  nameOf: NameOf,
  nowMs: number,
): string[] {
  const name = nameOf(machine);
  return [
    ...(presence === "lost" ? [`${name} is lost: what may move goes elsewhere`] : []),
    ...(presence === "absent"
      ? [`${name} keeps its units${waits === null ? "" : `: ${lossWaitText(waits, nowMs)}`}`]
      : []),
    ...(flapping === null
      ? []
      : [
          `${name} came and went ${counted(flapping.losses, "time")}: ${flapping.cordons ? `nothing new comes before ${untilText(flapping.until, nowMs)}` : "as others did, so it is not held against it"}`,
        ]),
  ];
}

function lossWaitText({ code, until }: NonNullable<LostMachine["waits"]>, nowMs: number): string {
  const when = until === null ? "" : ` until ${untilText(until, nowMs)}`;
  switch (code) {
    case "grace":
      return `its grace goes on${when}`;
    case "hold":
      return `nothing is lost${when}`;
    case "outage":
      return "until the outage ends";
    case "budget":
      return `other machines' units move first,${when}`;
  }
}

function untilText(time: string, nowMs: number): string {
  const leftMs = Date.parse(time) - nowMs;
  return Number.isNaN(leftMs) || leftMs <= 0 ? time : `${time} (in ${durationText(leftMs)})`;
}

function unplacedText({ units, kind, because, nearest, since }: UnplacedGroup, nowMs: number): string {
  const reasons = because.map(({ reason, count, examples }) => {
    const more = count - examples.length;
    return `${examples.join(", ")}${more > 0 ? ` and ${more} more` : ""}: ${describeReject(reason)}`;
  });
  const fix =
    nearest === null
      ? ""
      : `; ${nearest.obstacles.map((obstacle) => describeFix(obstacle, nearest.machine)).join(", and ")}`;
  const kept = kind === "waiting" ? "waits for a machine" : "no machine can ever take it";
  const what = since === undefined ? kept : aged(kept, since, nowMs);
  const why = reasons.length === 0 ? "" : ` (${reasons.join("; ")})`;
  return `${unitsText(units, 0, UNITS_NAMED_MAX)}: ${what}${why}${fix}`;
}
