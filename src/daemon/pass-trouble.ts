import { CANNOT_LOOK, type StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { Clock } from "../ports/clock.ts";
import type { OperationError } from "../ports/operation-error.ts";

/** Shorter than this nobody is told: a dbus-daemon that is restarted is there again within a second or two. */
const PATIENCE_MS = 3_000;

/**
 * Whether the agent's passes come to their end. Where they do not (systemd cannot be reached), its statuses are what it saw before, though
 * its presence goes on: then the machine says so itself, or its old words would pass for news.
 */
export class PassTrouble {
  readonly #clock: Clock;
  #first: { readonly sinceMs: number; readonly since: string } | null = null;
  #code: string | null = null;
  #problem: StatusProblem | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null as long as passes end, or have failed for a moment only; the same words as long as they fail for the same reason. */
  get problem(): StatusProblem | null {
    return this.#problem;
  }

  failed({ code, message }: OperationError): void {
    const nowMs = this.#clock.monotonicMs();
    this.#first ??= { sinceMs: nowMs, since: new Date(this.#clock.wallMs()).toISOString() };
    if (nowMs - this.#first.sinceMs < PATIENCE_MS || this.#code === code) return;
    this.#code = code;
    this.#problem = { code: CANNOT_LOOK, detail: `${code}: ${message}`, journal: [], since: this.#first.since };
  }

  passed(): void {
    this.#first = null;
    this.#code = null;
    this.#problem = null;
  }
}
