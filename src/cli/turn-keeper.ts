import type { EngineHealth } from "../api/api-handlers.ts";
import type { EngineCondition } from "../daemon/engine-condition.ts";
import type { Clock } from "../ports/clock.ts";
import type { Supervisor } from "../ports/supervisor.ts";

/** An engine turns twice a second; one that has not for as long hangs, or has a very large cluster to compile. */
const SILENT_MS = 30_000;

/** Remembers an engine's last turn for whoever asks how it is. */
export class TurnKeeper {
  readonly #clock: Clock;
  #last: { readonly atMs: number; readonly condition: EngineCondition } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A supervisor that is told everything, as this is. */
  beside(supervisor: Supervisor<EngineCondition>): Supervisor<EngineCondition> {
    return {
      turned: (condition) => {
        this.#last = { atMs: this.#clock.monotonicMs(), condition };
        supervisor.turned(condition);
      },
    };
  }

  get condition(): EngineCondition | null {
    return this.#last?.condition ?? null;
  }

  get health(): EngineHealth {
    const { term = null, connected = false } = this.#last?.condition ?? {};
    const turnedMsAgo = this.#last === null ? 0 : Math.round(this.#clock.monotonicMs() - this.#last.atMs);
    return { ok: connected && turnedMsAgo < SILENT_MS, term, connected, turnedMsAgo };
  }
}
