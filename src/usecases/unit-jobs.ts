import type { UnitName } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { JobResult, UnitManager } from "../ports/unit-manager.ts";

/** How a job of ours ended badly, until a later one of the same unit ends well. */
export interface JobFailure {
  readonly code: string;
  readonly detail: string;
}

/**
 * The systemd jobs under way, one a unit at most: a unit that is busy is left alone by every pass until its job has ended, so a
 * start that takes minutes delays nobody. Each end wakes the loop, which looks again.
 */
export class UnitJobs {
  readonly #manager: UnitManager;
  readonly #wake: () => void;
  readonly #busy = new Set<UnitName>();
  readonly #failures = new Map<UnitName, JobFailure>();

  constructor(manager: UnitManager, wake: () => void) {
    this.#manager = manager;
    this.#wake = wake;
  }

  isBusy(unit: UnitName): boolean {
    return this.#busy.has(unit);
  }

  failure(unit: UnitName): JobFailure | null {
    return this.#failures.get(unit) ?? null;
  }

  /** Stops and waits for the end. */
  stop(unit: UnitName, service: UnitName): Promise<JobResult> {
    return this.#during(unit, () => this.#manager.stop(service));
  }

  /** Queues a start; how it ends is seen by the next pass. */
  start(unit: UnitName, service: UnitName): void {
    void this.#during(unit, () => this.#manager.start(service)).then(
      (result) => this.#ended(unit, "start", result),
      (error: unknown) => this.#rejected(unit, "start", error),
    );
  }

  /**
   * The unit's own reload; returns when it has ended, also where its program failed or systemd refuses it: the unit goes on, and once
   * was enough. Rejects where systemd could not be reached: then nobody knows whether it was told.
   */
  async reload(unit: UnitName, service: UnitName): Promise<void> {
    try {
      this.#ended(unit, "reload", await this.#during(unit, () => this.#manager.reloadUnit(service)));
    } catch (error) {
      this.#rejected(unit, "reload", error);
      if (error instanceof OperationError && error.code !== "systemd-unreachable") return;
      throw error;
    }
  }

  async #during(unit: UnitName, job: () => Promise<JobResult>): Promise<JobResult> {
    this.#busy.add(unit);
    try {
      return await job();
    } finally {
      this.#busy.delete(unit);
      this.#wake();
    }
  }

  #ended(unit: UnitName, job: "start" | "reload", result: JobResult): void {
    if (result === "done" || result === "skipped") this.#failures.delete(unit);
    else this.#failures.set(unit, { code: `${job}-failed`, detail: `the ${job} job ended with ${result}` });
  }

  #rejected(unit: UnitName, job: "start" | "reload", error: unknown): void {
    const code = error instanceof OperationError ? error.code : `${job}-failed`;
    this.#failures.set(unit, { code, detail: error instanceof Error ? error.message : String(error) });
  }
}
