import type { MachineId } from "../../domain/names.ts";
import type { WaveBlocker } from "../../domain/report/engine-report.ts";
import type { FoundUnits } from "../../domain/why/find-units.ts";
import type {
  AsWanted,
  StuckBecause,
  UnitExplanation,
  UnplacedLink,
  WaitsBecause,
} from "../../domain/why/unit-explanation.ts";
import { describeFix } from "./describe-reason.ts";
import { driftText } from "./drift-text.ts";
import { stuckHandOffText, waitText } from "./engine-wait-text.ts";
import { unhealthyText } from "./health-text.ts";
import { holdUntil } from "./hold-until.ts";
import { heldText } from "./holds-text.ts";
import { nextOf, nowTexts } from "./rollout-text.ts";
import { sinceText } from "./since-text.ts";

type NameOf = (machine: MachineId) => string;

/** The answer in one line. */
export function verdictText(explanation: UnitExplanation, nameOf: NameOf, nowMs: number): string {
  const { verdict, unit, machineName } = explanation;
  const subject = machineName === null ? unit : `${unit} on ${machineName}`;
  switch (verdict.state) {
    case "as-wanted":
      return `* ${subject} ${asWantedText(verdict.because)}`;
    case "waits":
      return `o ${subject}: ${waitsText(verdict.because, explanation, nameOf, nowMs)}`;
    case "stuck":
      return `x ${subject}: ${stuckText(verdict.because, nameOf, nowMs)}`;
  }
}

function asWantedText(because: AsWanted): string {
  switch (because.code) {
    case "runs":
      return "runs as the commit wants it";
    case "done":
      return "has run and ended well";
    case "ready":
      return because.startedBy.length === 0
        ? "is there and not to be started: somebody or something else does that"
        : `is there, and ${because.startedBy.join(" or ")} starts it`;
    case "inactive":
      return "is not to run: the commit wants it inactive";
    case "matches-none":
      return "is for every machine that matches, and none does";
  }
}

function waitsText(because: WaitsBecause, explanation: UnitExplanation, nameOf: NameOf, nowMs: number): string {
  const machine = explanation.machineName ?? "";
  switch (because.code) {
    case "engine":
      return explanation.machine === null ? "the engine is to place it" : "the engine is to change it";
    case "no-leader":
      return "no engine leads: nothing is placed, moved or changed";
    case "engine-problem":
      return `the engine places nothing: ${because.problem}`;
    case "engine-behind":
      return because.follows === 0
        ? "the engine has not taken up any release yet"
        : `the engine still places release ${because.follows}`;
    case "wave":
    case "hand-off":
    case "prepare":
    case "kept-out":
      return waitText(because.wait, nameOf);
    case "rollout":
      return rolloutWaitText(because, nowMs);
    case "held":
      return `left as it is, ${heldText({ ...because.hold, until: holdUntil(because.hold) }, nowMs)}`;
    case "no-machine":
      return "no machine takes it for now";
    case "machine-absent":
      return `${machine} is absent`;
    case "machine-behind":
      return `the agent on ${machine} keeps an older set: ${because.problem.code}: ${because.problem.detail}`;
    case "machine-blind":
      return `the agent on ${machine} cannot look: ${because.problem.detail}`;
    case "no-status":
      return `the agent on ${machine} has said nothing of it yet`;
    case "other-version":
      return because.runs === null
        ? "its version is not started yet"
        : `another version of it is there (${because.runs.slice(0, 7)}, wanted ${because.wanted.slice(0, 7)})`;
    case "state":
      return `it is ${because.active} (${because.sub})`;
    case "unhealthy":
      return `it ${unhealthyText(because)}`;
    case "leaving":
      return "the commit wants it here no more, and it is to stop";
  }
}

function rolloutWaitText(
  { because, rollout }: Extract<WaitsBecause, { readonly code: "rollout" }>,
  nowMs: number,
): string {
  const now = nowTexts(rollout, nowMs).join("; ");
  switch (because) {
    case "phase":
      return rollout.phase === "paused" ? `the rollout is ${now}` : now;
    case "ring":
      return `the ring of its machine is not open yet: ${now}`;
    case "canaries":
      return now;
  }
}

function stuckText(because: StuckBecause, nameOf: NameOf, nowMs: number): string {
  switch (because.code) {
    case "unplaceable":
      return "no machine of the cluster can ever take it";
    case "problem":
      return `${because.problem.code}: ${because.problem.detail}`;
    case "handoff-stuck":
      return `${stuckHandOffText(because.handOff, nameOf)}, ${sinceText(because.handOff.since, nowMs)}`;
    case "changed-by-hand":
      return `changed by hand: ${driftText(because)}`;
    case "held":
      return `${because.by} failed: nothing more is changed until it runs, or somebody resumes the rollout`;
    case "stopped":
      return STOPPED[because.phase];
  }
}

const STOPPED: Readonly<Record<Extract<StuckBecause, { readonly code: "stopped" }>["phase"], string>> = {
  held: "the rollout is held: no version changes",
  aborted: "the rollout was aborted, and what it had not changed stays as it is",
  "rolled-back": "the release failed and was rolled back: the version before stays",
};

/** What a person would do next; null where there is nothing to do, or nothing but wait. */
export function nextStep({ verdict, unit, machineName, links }: UnitExplanation): string | null {
  const { because } = verdict;
  switch (because.code) {
    case "no-leader":
      return "fleet doctor, on a machine that has an engine";
    case "engine-problem":
      return "fleet doctor, on the machine whose engine leads";
    case "machine-absent":
      return `fleet doctor, on ${machineName}`;
    case "machine-behind":
    case "machine-blind":
      return `fleet doctor, on ${machineName}`;
    case "held":
      return "hold" in because ? holdStep(because.hold) : `fleet why ${because.by}`;
    case "wave":
      return because.wait.code === "wave" ? downStep(because.wait.for) : null;
    case "no-machine":
    case "unplaceable":
      return nearestStep(links.find((link) => link.link === "unplaced"));
    case "rollout":
      return nextOf(because.rollout);
    case "stopped":
      return because.phase === "held" ? "fleet rollout" : "apply a commit that descends from it";
    case "handoff-stuck":
      return `fleet journal ${unit}, and stop it on ${machineName}`;
    case "changed-by-hand":
      return `undo it on ${machineName}, or commit it (docs/drift.md)`;
    case "problem":
      return problemStep(because.problem.code, unit, machineName ?? "");
    default:
      return null;
  }
}

/** One that is down does not come up by itself, and what waits for it does not either. */
function downStep(blockers: readonly WaveBlocker[]): string | null {
  const down = blockers.find(({ state }) => state === "down");
  return down === undefined ? null : `fleet why ${down.unit}`;
}

function holdStep({
  scope,
  placedAt,
}: {
  readonly scope: { readonly kind: string };
  readonly placedAt?: MachineId;
}): string {
  const what = "unit" in scope ? scope.unit : "machine" in scope ? scope.machine : "cluster";
  return `fleet hold ${what} --end${placedAt === undefined ? "" : " --on-this-machine, there"}`;
}

function nearestStep(link: UnplacedLink | undefined): string | null {
  const { nearest = null } = link ?? {};
  if (nearest === null) return null;
  return nearest.obstacles.map((obstacle) => describeFix(obstacle, nearest.machine)).join(", and ");
}

function problemStep(code: string, unit: string, machine: string): string {
  switch (code) {
    case "conflict":
      return `remove the unit of that name on ${machine}, or take it over: adopt: true (docs/manifest.md)`;
    case "shadowed":
      return `remove the file in /etc on ${machine}`;
    case "text-unavailable":
      return `fleet doctor, on ${machine}`;
    default:
      return `fleet journal ${unit}`;
  }
}

/** Why the cluster has no such unit, and what to do. */
export function unknownText({ asked, because }: Extract<FoundUnits, { kind: "unknown" }>): string {
  switch (because.code) {
    case "not-applied":
      return `${because.units.join(", ")}: in the commit you stand on, and not in the release: fleet apply`;
    case "not-committed":
      return `${because.units.join(", ")}: in your working tree, and in no commit: git commit, then fleet apply`;
    case "no-instance":
      return `no unit ${asked}: its template has ${because.instances.join(", ")}`;
    case "no-such-unit":
      return `no unit ${asked} in the release or on a machine${because.meant === null ? "" : `; did you mean ${because.meant}?`}`;
  }
}
