import type { Convergence } from "../../domain/cluster/convergence.ts";
import type { Clock } from "../../ports/clock.ts";
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

/** How it ended: one line where all is well, else every unit that is not, with its last journal lines. */
export function convergenceText(state: Convergence): string {
  if (state.converged) return `converged: ${countsOf(state)}`;
  const failed = state.failed.flatMap(({ unit, machineName, problem }) => [
    `x ${unit} on ${machineName}: ${problem.code}: ${problem.detail}`,
    ...problem.journal.map((line) => `    | ${line}`),
  ]);
  const waiting = state.waiting.map(({ unit, machineName, why }) => `o ${unit}${machineName === null ? "" : ` on ${machineName}`}: ${why.code}`);
  return [`not converged: ${countsOf(state)}`, ...failed, ...waiting].map(printable).join("\n");
}

function countsOf(state: Convergence): string {
  const parts = [`${state.done} of ${state.total} units as wanted`];
  if (state.failed.length > 0) parts.push(`${state.failed.length} failed`);
  if (state.waiting.length > 0) parts.push(`waiting for ${state.waiting.length}`);
  return parts.join(", ");
}
