import type { Convergence, HandOffWait } from "../../domain/cluster/convergence.ts";
import type { FailedBecause, WaitingBecause } from "../../domain/cluster/seen-units.ts";
import { isStopped } from "../../domain/cluster/with-rollout.ts";
import type { MachineId } from "../../domain/names.ts";
import type { RolloutRecord } from "../../domain/rollout/rollout-record.ts";
import type { Clock } from "../../ports/clock.ts";
import { driftText } from "./drift-text.ts";
import { unhealthyText } from "./health-text.ts";
import { printable } from "./printable.ts";

/** How often the one rewritten line may change; people cannot read faster. */
const REDRAW_MS = 200;
/** Where nobody watches, one line this often says that it still goes on. */
const PLAIN_LINE_MS = 5_000;

/** Progress while waiting: one line that rewrites itself on a terminal, a line now and then elsewhere. */
export class ProgressView {
  readonly #stream: NodeJS.WriteStream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(stream: NodeJS.WriteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  show(state: Convergence): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastMs < (this.#stream.isTTY ? REDRAW_MS : PLAIN_LINE_MS)) return;
    if (!this.#stream.isTTY && nowMs - this.#startedMs < PLAIN_LINE_MS) return;
    this.#lastMs = nowMs;
    const line = `${((nowMs - this.#startedMs) / 1000).toFixed(1)} s: ${countsOf(state)}`;
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
    this.#drawn = this.#stream.isTTY;
  }

  end(): void {
    if (this.#drawn) this.#stream.write("\r\x1b[K");
  }
}

/** How it ended: one line where all is well, else every unit that is not, with its last journal lines, and how to ask on. */
export function convergenceText(state: Convergence, names: ReadonlyMap<MachineId, string>): string {
  if (state.converged) return `converged: ${countsOf(state)}`;
  const where = (machine: MachineId | null) =>
    machine === null ? "" : ` on ${names.get(machine) ?? machine.slice(0, 8)}`;
  const failed = state.failed.flatMap(({ unit, machine, because }) => [
    `x ${unit}${where(machine)}: ${failedText(because)}`,
    ...(because.code === "problem" ? because.problem.journal : []).map((line) => `    | ${line}`),
  ]);
  const waiting = state.waiting.map(
    ({ unit, machine, because }) => `o ${unit}${where(machine)}: ${waitingText(because, names)}`,
  );
  const first = state.failed[0] ?? state.waiting[0];
  const next = first === undefined ? [] : [`next: fleet why ${first.unit}`];
  return [stoppedText(state.rollout ?? null) ?? `not converged: ${countsOf(state)}`, ...failed, ...waiting, ...next]
    .map(printable)
    .join("\n");
}

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

function waitingText(because: WaitingBecause | HandOffWait, names: ReadonlyMap<MachineId, string>): string {
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

function countsOf(state: Convergence): string {
  const done =
    state.wanted - [...state.waiting, ...state.failed, ...state.away].filter((entry) => entry.machine !== null).length;
  const parts = [`${Math.max(0, done)} of ${state.wanted} as wanted`];
  if (state.failed.length > 0) parts.push(`${state.failed.length} failed`);
  if (state.away.length > 0) parts.push(`${state.away.length} on machines that are away`);
  if (state.waiting.length > 0) parts.push(`waiting for ${state.waiting.length}`);
  return parts.join(", ");
}
