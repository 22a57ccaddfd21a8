import type { StuckHandOff } from "../domain/report/engine-report.ts";
import { HEARING_MS, handOffLimitMs } from "../domain/rollout/hand-off-limit.ts";
import type { HandOff } from "../domain/rollout/next-writes.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, warning } from "../ports/log.ts";

interface Wait extends StuckHandOff {
  readonly sinceMs: number;
  /** Known once it is needed: most are over long before. */
  limitMs: number | null;
}

/** Since when one leader waits for each machine to let a unit go, by its own monotonic clock. */
export class HandOffWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  #waits: ReadonlyMap<string, Wait> = new Map();
  #stuck: ReadonlySet<string> = new Set();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Whom it waits for now. */
  waitsFor(handingOver: readonly HandOff[]): void {
    if (handingOver.length === 0 && this.#waits.size === 0) return;
    const sinceMs = this.#clock.monotonicMs();
    const since = new Date(this.#clock.wallMs()).toISOString();
    this.#waits = new Map(
      handingOver.map((one) => {
        const key = `${one.unit}/${one.machine}`;
        return [key, this.#waits.get(key) ?? { ...one, since, sinceMs, limitMs: null }];
      }),
    );
  }

  /** Those that take longer than they may by the commit's texts; sorted by unit. */
  stuck({ units }: ClusterSpec): StuckHandOff[] {
    const nowMs = this.#clock.monotonicMs();
    const limitOf = (wait: Wait) => {
      wait.limitMs ??= handOffLimitMs(units.find(({ name }) => name === wait.unit) ?? null);
      return wait.limitMs;
    };
    const stuck = [...this.#waits].filter(([, wait]) => {
      const waitedMs = nowMs - wait.sinceMs;
      return waitedMs > HEARING_MS && waitedMs > limitOf(wait);
    });
    for (const [key, { unit, machine, since }] of stuck) {
      if (this.#stuck.has(key)) continue;
      this.#log(warning(`handoff-stuck: machine ${machine} does not let ${unit} go since ${since}`));
    }
    this.#stuck = new Set(stuck.map(([key]) => key));
    return stuck.map(([, { unit, machine, since }]) => ({ unit, machine, since }));
  }
}
