import type { Convergence } from "../../domain/cluster/convergence.ts";
import type { MachineId } from "../../domain/names.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import type { WaveReached } from "../../domain/rollout/wave-reached.ts";
import type { Clock } from "../../ports/clock.ts";
import { countsOf, isOnlySettling, SETTLING, waitingText } from "./convergence-text.ts";
import { blockersText } from "./engine-wait-text.ts";
import { cutEnd } from "./fit-width.ts";
import { printableLine } from "./printable.ts";
import { isTelling, nowTexts } from "./rollout-text.ts";

/** How often the one rewritten line may change; people cannot read faster. */
const REDRAW_MS = 200;
/** Where nobody watches, counts are told this often at most. What ends sooner needs no line. */
const PLAIN_LINE_MS = 5_000;
const COLUMNS = 80;

/** What is known of a release that somebody waits for. */
export interface Followed {
  readonly state: Convergence;
  /** Null: no engine has taken it up yet. */
  readonly rollout: RolloutStatus | null;
  /** Null: all waves of its plan have been made, or nobody knows its plan. */
  readonly wave: WaveReached | null;
  readonly names: ReadonlyMap<MachineId, string>;
}

/** A terminal, or whatever keeps lines. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Progress while waiting: one line that rewrites itself on a terminal; elsewhere a line for what has changed, and none where nothing has. */
export class ProgressView {
  readonly #stream: ProgressStream;
  readonly #clock: Clock;
  readonly #startedMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;
  #last = { stage: "", counts: "" };
  #drawn = false;

  constructor(stream: ProgressStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  show(followed: Followed): void {
    const nowMs = this.#clock.monotonicMs();
    const counts = countsOf(followed.state);
    const stage = stageOf(followed);
    if (!this.#isDue(nowMs, stage, counts, isStill(followed))) return;
    this.#lastMs = nowMs;
    this.#last = { stage, counts };
    const texts = [counts, ...progressTexts(followed, this.#clock.wallMs())];
    const line = printableLine(`${((nowMs - this.#startedMs) / 1000).toFixed(1)} s: ${texts.join("; ")}`);
    // A line that is broken by the terminal cannot be written over.
    const cells = (this.#stream.columns ?? COLUMNS) - 1;
    this.#stream.write(this.#stream.isTTY ? `\r\x1b[K${cutEnd(line, cells)}` : `${line}\n`);
    this.#drawn = this.#stream.isTTY === true;
  }

  end(): void {
    if (this.#drawn) this.#stream.write("\r\x1b[K");
  }

  #isDue(nowMs: number, stage: string, counts: string, isStill: boolean): boolean {
    if (this.#stream.isTTY) return nowMs - this.#lastMs >= REDRAW_MS;
    const { stage: lastStage, counts: lastCounts } = this.#last;
    // What does not go on by itself is told at once.
    if (nowMs - this.#startedMs < PLAIN_LINE_MS) return isStill && stage !== lastStage;
    return stage !== lastStage || (counts !== lastCounts && nowMs - this.#lastMs >= PLAIN_LINE_MS);
  }
}

function isStill({ rollout }: Followed): boolean {
  return rollout !== null && rollout.phase !== "rolling" && rollout.phase !== "done";
}

/** The same for as long as nothing is at another stage: no counts, no times. */
function stageOf({ state, rollout, wave: reached }: Followed): string {
  const { phase, openRings, soak, window, baking = [], leaderless } = rollout ?? {};
  const sets = baking.map(({ set }) => set);
  const isForward = isGoingForward(rollout);
  const [wave, hasFailed] = isForward ? [reached, state.failed.length > 0] : [null, false];
  return JSON.stringify([wave, hasFailed, phase, openRings, soak !== undefined, window?.ring, sets, leaderless]);
}

/** Only then are the waves of its plan what happens. */
function isGoingForward(rollout: RolloutStatus | null): boolean {
  return rollout === null || rollout.phase === "rolling" || rollout.phase === "paused";
}

function progressTexts({ state, rollout, wave, names }: Followed, nowMs: number): string[] {
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  const wait = rollout?.waits.find((one) => one.code === "wave");
  const blockers = wait?.code === "wave" ? wait.for : [];
  const first = state.waiting.find(({ because }) => because.code === "state" || because.code === "unhealthy");
  const waits =
    blockers.length > 0
      ? [`waits for ${blockersText(blockers, nameOf)}`]
      : first?.machine == null
        ? []
        : [`${first.unit} on ${nameOf(first.machine)} ${waitingText(first.because, names)}`];
  return [
    ...(wave === null || !isGoingForward(rollout) ? [] : [`wave ${wave.number} of ${wave.of}`]),
    ...(rollout !== null && isTelling(rollout, nowMs) ? nowTexts(rollout, nowMs) : []),
    ...(waits.length === 0 && isOnlySettling(state) ? [SETTLING] : waits),
  ];
}
