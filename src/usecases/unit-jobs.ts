import type { UnitName } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { JobResult, UnitManager } from "../ports/unit-manager.ts";

/** How a job of ours ended badly, until a later one of the same unit ends well, or it is up although its start did not. */
export interface JobFailure {
  readonly code: string;
  readonly detail: string;
}

/** A start that failed is tried again after this long, then after twice that, and so on up to the last. */
const RETRY_FIRST_MS = 1_000;
const RETRY_LAST_MS = 300_000;

interface StartRetry {
  /** In a row. */
  readonly failures: number;
  /** Monotonic; null until somebody asks. */
  dueMs: number | null;
}

type JobKind = "start" | "stop" | "reload";

/**
 * The systemd jobs under way: a unit that is busy is left alone by every pass until its job has ended, so a start that takes minutes
 * delays nobody; unless it is starting and has to go. Each end wakes the loop, which looks again.
 */
export class UnitJobs {
  readonly #manager: UnitManager;
  readonly #wake: () => void;
  /** Under way, by unit; more than one where a stop cancels a start. */
  readonly #jobs = new Map<UnitName, readonly JobKind[]>();
  /** Whose job takes longer than a pass could wait for it. */
  readonly #overdue = new Map<UnitName, JobFailure>();
  readonly #retries = new Map<UnitName, StartRetry>();
  readonly #failures = new Map<UnitName, { readonly job: JobKind; readonly failure: JobFailure }>();

  constructor(manager: UnitManager, wake: () => void) {
    this.#manager = manager;
    this.#wake = wake;
  }

  isBusy(unit: UnitName): boolean {
    return this.#jobs.has(unit);
  }

  /** Busy with nothing but starting, which a stop would cancel. */
  isStarting(unit: UnitName): boolean {
    return this.#jobs.get(unit)?.every((job) => job === "start") ?? false;
  }

  failure(unit: UnitName): JobFailure | null {
    return this.#overdue.get(unit) ?? this.#failures.get(unit)?.failure ?? null;
  }

  /** A pass went on without it: until it ends, that is what is the matter. */
  tooLong(unit: UnitName, failure: JobFailure): void {
    if (this.isBusy(unit)) this.#overdue.set(unit, failure);
  }

  /**
   * Whether it is time to start a unit again whose start failed and which is down for it: systemd refuses it, or what it requires failed.
   * What is wrong with it seldom mends itself in a second, and what it requires is started along each time.
   */
  mayStartAgain(unit: UnitName, nowMs: number): boolean {
    const retry = this.#retries.get(unit);
    if (retry === undefined) return true;
    retry.dueMs ??= nowMs + Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** (retry.failures - 1));
    return nowMs >= retry.dueMs;
  }

  /**
   * With another text, or another order, it is another start, and how the last one ended says nothing of it: told of the new version while that
   * is on its way up, it would end a rollout.
   */
  startsAnew(unit: UnitName): void {
    this.#retries.delete(unit);
    if (this.#failures.get(unit)?.job === "start") this.#failures.delete(unit);
  }

  /** It is up: whatever became of its start, also of one nobody heard the end of, is no failure any more. */
  seenUp(unit: UnitName): void {
    if (this.#failures.get(unit)?.job === "start") this.#failures.delete(unit);
  }

  /** Stops and waits for the end. */
  stop(unit: UnitName, service: UnitName): Promise<JobResult> {
    return this.#during(unit, "stop", () => this.#manager.stop(service));
  }

  /**
   * Queues a start; how it ends is seen by the next pass. Resolves once systemd has taken or refused it: to false where it could not be
   * reached, and nobody knows whether it was told.
   */
  start(unit: UnitName, service: UnitName): Promise<boolean> {
    return new Promise((resolve) => {
      const queued = (): void => resolve(true);
      this.#during(unit, "start", () => this.#manager.start(service, queued)).then(
        (result) => {
          this.#ended(unit, "start", result);
          queued();
        },
        (error: unknown) => {
          this.#rejected(unit, "start", error);
          resolve(!isUnreachable(error));
        },
      );
    });
  }

  /**
   * The unit's own reload; returns when it has ended, also where its program failed or systemd refuses it: the unit goes on, and once
   * was enough. Rejects where systemd could not be reached: then nobody knows whether it was told; and where somebody has masked it
   * meanwhile: it is told once the mask is gone.
   */
  async reload(unit: UnitName, service: UnitName): Promise<void> {
    try {
      this.#ended(unit, "reload", await this.#during(unit, "reload", () => this.#manager.reloadUnit(service)));
    } catch (error) {
      this.#rejected(unit, "reload", error);
      if (!(error instanceof OperationError) || isUnreachable(error) || error.code === "unit-masked") throw error;
    }
  }

  async #during(unit: UnitName, kind: JobKind, job: () => Promise<JobResult>): Promise<JobResult> {
    this.#jobs.set(unit, [...(this.#jobs.get(unit) ?? []), kind]);
    try {
      return await job();
    } finally {
      const left = this.#jobs.get(unit)!.toSpliced(this.#jobs.get(unit)!.indexOf(kind), 1);
      if (left.length > 0) this.#jobs.set(unit, left);
      else this.#jobs.delete(unit);
      this.#overdue.delete(unit);
      this.#wake();
    }
  }

  #ended(unit: UnitName, job: JobKind, result: JobResult): void {
    const isOurStops = result === "canceled" && this.isBusy(unit);
    if (isOurStops) return;
    if (result === "done" || result === "skipped") {
      this.#failures.delete(unit);
      if (job === "start") this.#retries.delete(unit);
    } else this.#failed(unit, job, `${job}-failed`, `the ${job} job ended with ${result}`);
  }

  #rejected(unit: UnitName, job: JobKind, error: unknown): void {
    const code = error instanceof OperationError ? error.code : `${job}-failed`;
    this.#failed(unit, job, code, error instanceof Error ? error.message : String(error));
  }

  #failed(unit: UnitName, job: JobKind, code: string, detail: string): void {
    if (job === "start")
      this.#retries.set(unit, { failures: (this.#retries.get(unit)?.failures ?? 0) + 1, dueMs: null });
    this.#failures.set(unit, { job, failure: { code, detail } });
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof OperationError && error.code === "systemd-unreachable";
}
