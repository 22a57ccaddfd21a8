import type { Convergence, HandOffWait } from "../../domain/cluster/convergence.ts";
import type { FailedBecause, WaitingBecause } from "../../domain/cluster/seen-units.ts";
import { isStopped } from "../../domain/cluster/with-rollout.ts";
import type { MachineId } from "../../domain/names.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import type { RolloutRecord } from "../../domain/rollout/rollout-record.ts";
import { driftText } from "./drift-text.ts";
import { unhealthyText } from "./health-text.ts";
import { printable } from "./printable.ts";
import { nextOf, nowTexts, pendingTexts } from "./rollout-text.ts";

/** Units that are named of those which a failure held back. */
const HELD_NAMED_MAX = 8;

/**
 * How it ended: one line where all is well, else every unit that is not, with its last journal lines, and how to ask on. Of a rollout that
 * waits for time, or for somebody, those that wait for their turn are only counted.
 */
export function convergenceText(
  state: Convergence,
  names: ReadonlyMap<MachineId, string>,
  rollout: RolloutStatus | null = null,
  nowMs = 0,
): string {
  if (state.converged) return `converged: ${countsOf(state)}`;
  const where = (machine: MachineId | null) =>
    machine === null ? "" : ` on ${names.get(machine) ?? machine.slice(0, 8)}`;
  const failed = state.failed
    .filter(({ because }) => !isHeldBack(because))
    .flatMap(({ unit, machine, because }) => [
      `x ${unit}${where(machine)}: ${failedText(because)}`,
      ...(because.code === "problem" ? because.problem.journal : []).map((line) => `    | ${line}`),
    ]);
  const heldBack = Map.groupBy(
    state.failed.filter(({ because }) => isHeldBack(because)),
    ({ because }) => failedText(because),
  );
  const held = [...heldBack].map(([text, them]) => {
    const named = them.slice(0, HELD_NAMED_MAX).map(({ unit, machine }) => `${unit}${where(machine)}`);
    return `x ${named.join(", ")}${them.length > named.length ? ` and ${them.length - named.length} more` : ""}: ${text}`;
  });
  const under = underWay(state, rollout, nowMs);
  const shown = under === null ? state.waiting : state.waiting.filter(({ because }) => !OF_A_TURN.has(because.code));
  const waiting = shown.map(
    ({ unit, machine, because }) => `o ${unit}${where(machine)}: ${waitingText(because, names)}`,
  );
  const first = state.failed.find(({ because }) => !isHeldBack(because)) ?? state.failed[0] ?? shown[0];
  const steps = under?.next ?? (first === undefined ? null : `fleet why ${first.unit}`);
  const next = steps === null ? [] : [`next: ${steps}`];
  return [
    stoppedText(state.rollout ?? null) ?? under?.text ?? `not converged: ${countsOf(state)}`,
    ...failed,
    ...held,
    ...waiting,
    ...next,
  ]
    .map(printable)
    .join("\n");
}

/** A rollout that waits for time goes on without anybody, and one that is paused with somebody: neither has failed. Null: it waits for units. */
function underWay(
  state: Convergence,
  rollout: RolloutStatus | null,
  nowMs: number,
): { readonly text: string; readonly next: string | null } | null {
  if (rollout === null || state.settled || state.rollout?.phase !== rollout.phase) return null;
  const { seq, phase } = rollout;
  const isSettling = isOnlySettling(state);
  const isOfTime = isSettling || pendingTexts(rollout, nowMs).length > 0;
  if (phase !== "paused" && phase !== "rolling-back" && !(phase === "rolling" && isOfTime)) return null;
  const texts = nowTexts(rollout, nowMs);
  const now = (isSettling ? [SETTLING, ...texts.slice(1)] : texts).join("; ");
  const head = `not converged yet: ${countsOf(state)}`;
  if (phase === "paused") return { text: `${head}\nrelease ${seq} is ${now}`, next: nextOf(rollout) };
  return {
    text: `${head}\nrelease ${seq}: ${now}${rollout.leaderless === true ? "" : "; this goes on by itself, and fleet status follows it"}`,
    next: null,
  };
}

/** All is as wanted, and the engine has not said yet that it stayed so. */
export function isOnlySettling({ waiting, failed, rollout }: Convergence): boolean {
  return waiting.length === 0 && failed.length === 0 && rollout?.phase === "rolling";
}

export const SETTLING = "what it changed has not been up for long enough yet";

/** What waits for its turn, and says nothing of a unit. */
const OF_A_TURN: ReadonlySet<string> = new Set<WaitingBecause["code"]>(["not-placed", "leaving"]);

/** What became of a release that failed. */
function stoppedText(rollout: RolloutRecord | null): string | null {
  if (!isStopped(rollout)) return null;
  const { release, base, phase } = rollout;
  switch (phase) {
    case "held":
      return `release ${release.seq} failed and is held: what it has changed stays, and nothing more is changed`;
    case "rolled-back":
      return `release ${release.seq} failed and was rolled back: release ${base?.seq} runs`;
    case "aborted":
      return `release ${release.seq} was aborted: what it has changed stays`;
  }
}

/** Nothing is known of it but what another one did to it: of a thousand of them a line is enough. */
function isHeldBack({ code }: FailedBecause): boolean {
  return code === "held" || code === "stopped";
}

function failedText(because: FailedBecause): string {
  switch (because.code) {
    case "problem":
      return `${because.problem.code}: ${because.problem.detail}`;
    case "changed-by-hand":
      return driftText(because);
    case "held":
      return `held back, because ${because.by} failed`;
    case "stopped":
      return `the rollout is ${because.phase}`;
    case "unplaceable":
      return "fits on no machine";
  }
}

export function waitingText(because: WaitingBecause | HandOffWait, names: ReadonlyMap<MachineId, string>): string {
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  switch (because.code) {
    case "hand-off":
      return `waits until ${nameOf(because.from)} has stopped it, so that ${nameOf(because.to)} may start it`;
    case "machine-behind":
      return `the machine keeps its older set: ${because.problem.code}: ${because.problem.detail}`;
    case "machine-blind":
      return `its agent cannot look at it: ${because.problem.detail}`;
    case "state":
      return `is ${because.active} (${because.sub})`;
    case "unhealthy":
      return unhealthyText(because);
    default:
      return because.code.replaceAll("-", " ");
  }
}

/** What is on a list and not among what is wanted somewhere: it fits nowhere, or is to go. */
const NOT_WANTED: ReadonlySet<string> = new Set<(WaitingBecause | FailedBecause)["code"]>([
  "no-machine",
  "unplaceable",
  "leaving",
]);

export function countsOf(state: Convergence): string {
  const notYet = [...state.waiting, ...state.failed, ...state.away].filter(
    ({ because }) => !NOT_WANTED.has(because.code),
  );
  const done = state.wanted - notYet.length;
  const parts = [`${Math.max(0, done)} of ${state.wanted} as wanted`];
  if (state.failed.length > 0) parts.push(`${state.failed.length} failed`);
  if (state.away.length > 0) parts.push(`${state.away.length} on machines that are away`);
  if (state.waiting.length > 0) parts.push(`waiting for ${state.waiting.length}`);
  return parts.join(", ");
}
