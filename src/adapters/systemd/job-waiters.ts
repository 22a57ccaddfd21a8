import type { Clock } from "../../ports/clock.ts";
import type { OperationError } from "../../ports/operation-error.ts";
import { JOB_WAIT_MS, type JobResult } from "../../ports/unit-manager.ts";

/** How often systemd is asked which jobs it still has, in case a signal was lost. One call for all jobs. */
const RECONCILE_MS = 5_000;

interface Waiter {
  readonly deadlineMs: number;
  readonly resolve: (result: JobResult) => void;
  readonly reject: (error: unknown) => void;
  /** How it must have ended, asked of the unit itself, where the job is gone and nobody said how. */
  readonly judge: () => Promise<JobResult>;
}

/** Who waits for the end of which job. Several may wait for one: systemd merges jobs of a unit. */
export class JobWaiters {
  readonly #clock: Clock;
  /** Object paths of the jobs systemd has. */
  readonly #listJobs: () => Promise<ReadonlySet<string>>;
  readonly #waiters = new Map<string, Waiter[]>();
  /** Ends of jobs seen while some reply with a job's path was under way: a quick job ends before we know its path. */
  readonly #early = new Map<string, JobResult>();
  #queueing = 0;
  #idle: AbortController | null = null;

  constructor(clock: Clock, listJobs: () => Promise<ReadonlySet<string>>) {
    this.#clock = clock;
    this.#listJobs = listJobs;
  }

  /** Queues a job, which resolves to its path, and waits for its end, JOB_WAIT_MS at most. */
  async run(queue: () => Promise<string>, judge: () => Promise<JobResult>): Promise<JobResult> {
    this.#queueing++;
    let job: string;
    let early: JobResult | undefined;
    try {
      job = await queue();
      early = this.#early.get(job);
    } finally {
      this.#queueing--;
      if (this.#queueing === 0) this.#early.clear();
    }
    if (early !== undefined) return early;
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.monotonicMs() + JOB_WAIT_MS;
      this.#waiters.set(job, [...(this.#waiters.get(job) ?? []), { deadlineMs, resolve, reject, judge }]);
      if (this.#idle === null) void this.#reconcile();
    });
  }

  ended(job: string, result: JobResult): void {
    if (this.#queueing > 0) this.#early.set(job, result);
    for (const waiter of this.#take(job)) waiter.resolve(result);
  }

  /** Nobody will hear of any job again: their outcomes are unknown. */
  lost(error: OperationError): void {
    this.#early.clear();
    for (const job of [...this.#waiters.keys()]) for (const waiter of this.#take(job)) waiter.reject(error);
  }

  #take(job: string): readonly Waiter[] {
    const waiters = this.#waiters.get(job) ?? [];
    this.#waiters.delete(job);
    if (this.#waiters.size === 0) this.#idle?.abort();
    return waiters;
  }

  async #reconcile(): Promise<void> {
    const idle = new AbortController();
    this.#idle = idle;
    while (this.#waiters.size > 0) {
      await this.#clock.sleep(RECONCILE_MS, idle.signal);
      // Jobs that are queued while we ask are not in the answer.
      const known = [...this.#waiters.keys()];
      if (known.length > 0) await this.#reconcileOnce(known);
    }
    this.#idle = null;
  }

  async #reconcileOnce(known: readonly string[]): Promise<void> {
    let listed: ReadonlySet<string>;
    try {
      listed = await this.#listJobs();
    } catch (error) {
      for (const job of known) for (const waiter of this.#take(job)) waiter.reject(error);
      return;
    }
    const nowMs = this.#clock.monotonicMs();
    for (const job of known) {
      // Signals and replies of systemd come in its order: a job's end, had it been sent, would have been here by now.
      if (!listed.has(job)) for (const waiter of this.#take(job)) waiter.judge().then(waiter.resolve, waiter.reject);
      const waiters = this.#waiters.get(job) ?? [];
      if (waiters.some((waiter) => nowMs >= waiter.deadlineMs)) {
        for (const waiter of this.#take(job)) waiter.resolve("timeout-waiting");
      }
    }
  }
}
