import type { UnitName } from "../../domain/names.ts";
import type { JobResult } from "../../ports/unit-manager.ts";

export type JobKind = "start" | "stop" | "reload";

/** A job of the modelled systemd: queued, waiting for others, over. */
export class MemoryJob {
  readonly unit: UnitName;
  readonly kind: JobKind;
  readonly ended: Promise<JobResult>;
  readonly #end: (result: JobResult) => void;
  #over = false;
  #waitsFor: readonly MemoryJob[] = [];

  constructor(unit: UnitName, kind: JobKind) {
    this.unit = unit;
    this.kind = kind;
    const { promise, resolve } = Promise.withResolvers<JobResult>();
    this.ended = promise;
    this.#end = resolve;
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** The first result counts. */
  end(result: JobResult): void {
    this.#over = true;
    this.#end(result);
  }

  waitFor(others: readonly MemoryJob[]): void {
    this.#waitsFor = others;
  }

  waitsFor(other: MemoryJob): boolean {
    return this.#waitsFor.some((job) => !job.isOver && (job === other || job.waitsFor(other)));
  }
}

/**
 * Waits until none of the jobs that go before this one is left, or it is over itself. In a cycle of orders somebody goes first:
 * systemd drops a job to break one, and we the waiting.
 */
export async function waitForOthers(job: MemoryJob, before: () => readonly MemoryJob[]): Promise<void> {
  // All jobs of one transaction are queued before the first of them looks around.
  await Promise.resolve();
  for (;;) {
    const others = before().filter((other) => other !== job && !other.isOver && !other.waitsFor(job));
    job.waitFor(others);
    if (others.length === 0 || job.isOver) return;
    await Promise.race([job.ended, Promise.all(others.map((other) => other.ended))]);
  }
}
