import type { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import type { JobFault } from "../adapters/memory/memory-systemd.ts";
import type { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import type { UnitName } from "../domain/names.ts";
import { leaseUnit } from "../domain/spec/at-most-one-dropin.ts";
import { formatStopAfter } from "../domain/unit/on-disconnect.ts";
import type { Clock } from "../ports/clock.ts";
import type { LeaseHolder } from "../ports/lease-holder.ts";

/**
 * fleet-lease@.service of one simulated machine, its helper and systemd's watchdog: ends the lease unit that long after the last renewal
 * was sent, whoever is alive then, and lets none start without. As in packaging/systemd; a helper that fails only ends it sooner.
 */
export class SimLease implements LeaseHolder {
  readonly #stopAfterMs: number;
  readonly #unit: UnitName;
  readonly #agent: Clock;
  readonly #world: Clock;
  readonly #manager: MemoryUnitManager;
  #deadlineMs = 0;

  /** `agent` is the clock by which moments are told, `world` one that nobody can pause. */
  constructor(
    stopAfterMs: number,
    clocks: { readonly agent: Clock; readonly world: Clock },
    machine: { readonly files: MemoryFileStore; readonly manager: MemoryUnitManager },
  ) {
    this.#stopAfterMs = stopAfterMs;
    this.#unit = leaseUnit(formatStopAfter(stopAfterMs));
    this.#agent = clocks.agent;
    this.#world = clocks.world;
    this.#manager = machine.manager;
    void machine.files.write(`/etc/systemd/system/${this.#unit}`, "[Service]\nExecStart=/bin/sleep infinity\n");
  }

  async renewed(sentMs: number): Promise<void> {
    const nowMs = this.#world.monotonicMs();
    const deadlineMs = nowMs - (this.#agent.monotonicMs() - sentMs) + this.#stopAfterMs;
    this.#deadlineMs = deadlineMs;
    await Promise.resolve();
    void this.#world.sleep(deadlineMs - nowMs).then(() => {
      if (this.#deadlineMs === deadlineMs) this.#manager.kill(this.#unit);
    });
  }

  /** To be asked for each job: the start of the lease unit fails while no time is left. */
  faultOf(unit: UnitName): JobFault | null {
    const isDue = unit === this.#unit && this.#world.monotonicMs() >= this.#deadlineMs;
    return isDue ? { kind: "fail", result: "timeout" } : null;
  }
}
