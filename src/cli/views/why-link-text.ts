import type { SourceLocation } from "../../domain/diagnostic.ts";
import type { MachineId } from "../../domain/names.ts";
import type { Unplaced } from "../../domain/placement/placement.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import type {
  AgentLink,
  CommitLink,
  EngineLink,
  GoalLink,
  GroupLink,
  PlacementLink,
  SetLink,
  SystemdLink,
  UnplacedLink,
  WhyLink,
} from "../../domain/why/unit-explanation.ts";
import { counted } from "./counted.ts";
import { describePlacement, describeReject } from "./describe-reason.ts";
import { driftText } from "./drift-text.ts";
import { durationText } from "./duration-text.ts";
import { missingText } from "./engine-report-text.ts";
import { deviationReason, waitText } from "./engine-wait-text.ts";
import { holdUntil } from "./hold-until.ts";
import { heldText } from "./holds-text.ts";
import { rewoundText } from "./rewound-text.ts";
import { isTelling, nowTexts } from "./rollout-text.ts";
import { sinceText } from "./since-text.ts";

export interface WhyContext {
  readonly nowMs: number;
  /** The machine the chain is about; empty where it is on none. */
  readonly machine: string;
  readonly nameOf: (machine: MachineId) => string;
  readonly names: ReadonlyMap<MachineId, string>;
}

/** Units a group names before it only counts. */
const UNITS_NAMED_MAX = 4;
/** Files, ties and constraints named. */
const LINES_NAMED_MAX = 6;

/** The lines of one link, the first of which follows its title; empty where it says nothing worth a line. */
export function linkLines(link: WhyLink, context: WhyContext): string[] {
  switch (link.link) {
    case "commit":
      return commitLines(link, context);
    case "files":
      return [someOf(link.files.map((file) => placeText(file)))];
    case "goal":
      return [goalText(link)];
    case "group":
      return groupLines(link);
    case "placement":
      return placementLines(link, context);
    case "unplaced":
      return unplacedLines(link, context);
    case "engine":
      return engineLines(link, context);
    case "set":
      return [setText(link, context)];
    case "agent":
      return agentLines(link, context);
    case "systemd":
      return systemdLines(link, context);
  }
}

function commitLines(
  { commit, subject, author, release, by, since, head }: CommitLink,
  { nowMs }: WhyContext,
): string[] {
  const what = subject === null ? "" : ` "${subject}" by ${author}`;
  const lines = [`${commit.slice(0, 7)}${what}; release ${release}, applied by ${by} ${sinceText(since, nowMs, "at")}`];
  if (subject === null)
    lines.push("this repository does not have it: run this where it is for files, lines and who was rejected");
  if (head !== null && head.unit !== "same") {
    const change = head.unit === "gone" ? "does not have this unit" : "has it otherwise";
    lines.push(`${head.commit.slice(0, 7)}, which you stand on, ${change} and is not applied`);
  }
  return lines;
}

function placeText({ path, line }: SourceLocation): string {
  return line === undefined ? path : `${path}:${line}`;
}

function someOf(texts: readonly string[]): string {
  const more = texts.length - LINES_NAMED_MAX;
  return `${texts.slice(0, LINES_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function goalText({ goal, because, instances }: GoalLink): string {
  const made = instances === null ? "" : `; instances by ${placeText(instances)}`;
  switch (because.code) {
    case "manifest":
      return `${goal}: ${placeText(because.at)} says so${made}`;
    case "activated":
      return `${goal}: ${because.by.map(({ unit }) => unit).join(", ")} starts it${made}`;
    case "default":
      return `${goal}: nothing else is said of it${made}`;
    case "unknown":
      return goal;
  }
}

/** A unit alone that may go anywhere needs no line. */
function groupLines({ units, global, ties, move, localState, after }: GroupLink): string[] {
  const named = units.slice(0, UNITS_NAMED_MAX);
  const more = units.length - named.length;
  return [
    ...(units.length === 1 ? [] : [`${named.join(", ")}${more > 0 ? ` and ${more} more` : ""} go together`]),
    ...ties
      .slice(0, LINES_NAMED_MAX)
      .map(({ from, to, by, at }) => `${from} to ${to} by ${by}${at === null ? "" : ` (${placeText(at)})`}`),
    ...(global ? ["on every machine that matches (Global=)"] : []),
    ...(move === "never"
      ? [`never moves: ${localState.map(({ because }) => because).join(", ") || "Move=never"}`]
      : []),
    ...(after.length === 0 ? [] : [`starts after ${someOf(after)}`]),
  ];
}

function placementLines(link: PlacementLink, context: WhyContext): string[] {
  const { machineName, placedFor, since, now, wanted, asks, rejected, fitting, deviation } = link;
  const age = sinceText(since, context.nowMs);
  const first = [`on ${machineName}`, ...(placedFor === null ? [] : [PLACED_FOR[placedFor] ?? placedFor]), age];
  return [
    first.filter(Boolean).join(", "),
    ...(now === null || now.code === "stayed" || now.code === "global" || now.code === placedFor
      ? []
      : [`now: ${wanted === null ? "" : `to ${wanted}: `}${describePlacement(now, context.names)}`]),
    ...(deviation === null
      ? []
      : [
          `the plan said ${context.nameOf(deviation.planned)}: ${deviationReason(deviation.because, context.nameOf(deviation.planned))}`,
        ]),
    ...askLines(asks),
    ...rejectedLines(rejected),
    ...(fitting.count === 0 ? [] : [`would do as well: ${countedNames(fitting.examples, fitting.count)}`]),
  ];
}

/** What the reason's code said when it was placed; the rest of it nobody keeps. */
const PLACED_FOR: Readonly<Record<string, string>> = {
  stayed: "where it was",
  planned: "as planned",
  "least-loaded": "the least loaded that fitted",
  "only-fit": "the only one that fitted",
  global: "as on every machine that matches",
  "data-stays": "where its data is",
  "nowhere-else": "where it was, as no other fitted",
  "joined-group": "where the rest of its group was",
  moved: "moved there",
};

function unplacedLines({ kind, asks, because, nearest, wanted, since }: UnplacedLink, { nowMs }: WhyContext): string[] {
  const first =
    wanted !== null
      ? `nowhere yet, to go to ${wanted}`
      : kind === "not-yet"
        ? "nowhere yet"
        : "nowhere: no machine takes it";
  return [
    [first, sinceText(since, nowMs)].filter(Boolean).join(", "),
    ...askLines(asks),
    ...rejectedLines(because),
    ...(nearest === null
      ? []
      : [`nearest: ${nearest.machine}, which ${nearest.obstacles.map(describeReject).join(" and ")}`]),
  ];
}

function askLines(asks: PlacementLink["asks"]): string[] {
  if (asks.length === 0) return [];
  return [`asks for ${someOf(asks.map(({ text, ...at }) => `${text} (${placeText(at)})`))}`];
}

function rejectedLines(because: Unplaced["because"]): string[] {
  return because.map(
    ({ reason, count, examples }) => `not ${countedNames(examples, count)}: ${describeReject(reason, count)}`,
  );
}

function countedNames(examples: readonly string[], count: number): string {
  const more = count - examples.length;
  return `${examples.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function engineLines(link: EngineLink, { nowMs, nameOf }: WhyContext): string[] {
  const { leader, term, since, problem, waits, rollout } = link;
  const stage = rollout === undefined || !isTelling(rollout, nowMs) ? [] : [stageText(rollout, nowMs)];
  if (leader === null) return ["none leads", ...stage];
  return [
    [`${leader} leads, term ${term}`, sinceText(since, nowMs)].filter(Boolean).join(", "),
    ...(problem === null ? [] : [problem]),
    ...stage,
    ...waits.map((wait) => [waitText(wait, nameOf), sinceText(wait.since, nowMs)].filter(Boolean).join(", ")),
  ];
}

function stageText(rollout: RolloutStatus, nowMs: number): string {
  const now = `rollout of release ${rollout.seq}: ${nowTexts(rollout, nowMs).join("; ")}`;
  return [now, sinceText(rollout.since, nowMs)].filter(Boolean).join(", ");
}

function setText({ generation, count, state, goal, since }: SetLink, { nowMs }: WhyContext): string {
  const whole: Readonly<Record<SetLink["state"], string>> = {
    whole: "",
    "no-header": ", without a header: the agent acts on none of it",
    "other-epoch": ", of another epoch: the agent acts on none of it",
    incomplete: ", not whole: the agent keeps the one before",
  };
  const age = sinceText(since, nowMs, "written");
  return [`generation ${generation} of ${counted(count, "unit")}${whole[state]}`, goal, age].filter(Boolean).join(", ");
}

/** A problem of the unit is the verdict, and stands above. */
function agentLines(link: AgentLink, { nowMs, nameOf }: WhyContext): string[] {
  const { present, heardWithinMs, since, loss, accepted, release, machineProblem, hold, drift, runs, wanted, rewound } =
    link;
  const heard = heardWithinMs === null ? "there" : `heard from within the last ${durationText(heardWithinMs)}`;
  const missed = since === null ? "absent, and no engine can say since when" : `absent ${sinceText(since, nowMs)}`;
  const version =
    runs === null
      ? ""
      : runs === wanted
        ? `, version ${wanted.slice(0, 7)}`
        : `, version ${runs.slice(0, 7)}, wanted ${wanted.slice(0, 7)}`;
  return [
    `${present ? heard : missed}, follows ${followed(accepted, release)}${version}`,
    ...(loss === null ? [] : missingText(loss, nameOf, nowMs)),
    ...(rewound === undefined ? [] : [rewoundText(rewound, nowMs)]),
    ...(machineProblem === null
      ? []
      : [
          [`${machineProblem.code}: ${machineProblem.detail}`, present ? sinceText(since, nowMs) : ""]
            .filter(Boolean)
            .join(", "),
        ]),
    ...(hold === null
      ? []
      : [`held ${heldText({ ...hold, until: holdUntil(hold) }, nowMs)}, asked ${sinceText(hold.at, nowMs, "at")}`]),
    ...(drift === null ? [] : [driftText(drift)]),
  ];
}

function followed(accepted: number, release: number): string {
  const what = accepted === 0 ? "no release" : `release ${accepted}`;
  return accepted < release ? `${what}, not yet release ${release}` : what;
}

function systemdLines(link: SystemdLink, { nowMs }: WhyContext): string[] {
  const { load, active, sub, result, since, started, isOld, journal } = link;
  const parts = [
    `${active} (${sub})${isOld ? ", as last heard" : ""}`,
    ...(load === "loaded" ? [] : [load]),
    ...(result === "" || result === "success" ? [] : [`result ${result}`]),
    ...(started || active === "active" || since !== null ? [] : ["never started"]),
    sinceText(since, nowMs),
  ];
  return [parts.filter(Boolean).join(", "), ...journal.map((line) => `| ${line}`)];
}
