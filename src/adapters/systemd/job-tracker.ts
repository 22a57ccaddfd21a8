import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { JobResult } from "../../ports/unit-manager.ts";

/** systemd's own limit for most jobs is 90 s; longer ones are watched by status, not by waiting. */
const JOB_PATIENCE_MS = 120_000;
/** How often a job that says nothing is asked after: its signal may have been lost with a connection. */
const ASK_INTERVAL_MS = 5_000;
/** Ends of jobs nobody has asked for yet; more than ever are in flight. */
const EARLY_ENDS_MAX = 1_000;

/** Waits for the ends of jobs. A job may end before the reply that names it is read, so ends that came early are kept. */
export class JobTracker {
  readonly #clock: Clock;
  readonly #exists: (job: string) => Promise<boolean>;
  readonly #waiting = new Map<string, { resolve: (result: JobResult) => void; reject: (error: Error) => void }>();
  readonly #early = new Map<string, JobResult>();

  constructor(clock: Clock, exists: (job: string) => Promise<boolean>) {
    this.#clock = clock;
    this.#exists = exists;
  }

  /** How that job ended; `timeout-waiting` where it takes longer than our patience. */
  async ended(job: string): Promise<JobResult> {
    const early = this.#early.get(job);
    if (early !== undefined) {
      this.#early.delete(job);
      return early;
    }
    const done = new AbortController();
    const end = new Promise<JobResult>((resolve, reject) => this.#waiting.set(job, { resolve, reject }));
    const asked = this.#askAfter(job, done.signal);
    end.catch(() => undefined); // Whoever loses the race is not heard.
    asked.catch(() => undefined);
    try {
      return await Promise.race([end, asked]);
    } finally {
      done.abort();
      this.#waiting.delete(job);
    }
  }

  removed(job: string, result: JobResult): void {
    const waiting = this.#waiting.get(job);
    if (waiting !== undefined) return waiting.resolve(result);
    this.#early.set(job, result);
    const oldest = this.#early.keys().next().value;
    if (this.#early.size > EARLY_ENDS_MAX && oldest !== undefined) this.#early.delete(oldest);
  }

  /** The connection is gone, and with it the news of every job. */
  lost(): void {
    const error = new OperationError("systemd-unreachable", "lost the connection to systemd while a job was running");
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#early.clear();
  }

  async #askAfter(job: string, done: AbortSignal): Promise<JobResult> {
    const untilMs = this.#clock.monotonicMs() + JOB_PATIENCE_MS;
    while (!done.aborted && this.#clock.monotonicMs() < untilMs) {
      await this.#clock.sleep(ASK_INTERVAL_MS, done);
      // Ended without our hearing how: the next look at the unit tells.
      if (!done.aborted && !(await this.#exists(job))) return "done";
    }
    return "timeout-waiting";
  }
}
