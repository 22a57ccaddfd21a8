import { LateMeter } from "../adapters/metrics/late-meter.ts";
import { meteredManager } from "../adapters/metrics/metered-manager.ts";
import { meteredRegistry } from "../adapters/metrics/metered-registry.ts";
import { systemClock } from "../adapters/system-clock.ts";
import type { AgentCondition } from "../daemon/agent-condition.ts";
import type { Log } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import type { Registry } from "../ports/registry.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import { writeAgentMetrics } from "./write-agent-metrics.ts";

/** What an agent is measured by, where somebody asked for that. */
export class AgentMetrics {
  readonly #path: string;
  readonly #meter = new LateMeter("agent");
  #condition: AgentCondition | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  get ports(): { readonly meter: Meter } {
    return { meter: this.#meter };
  }

  ofManager(manager: UnitManager): UnitManager {
    return meteredManager(manager, this.#meter, systemClock);
  }

  ofRegistry(registry: Registry): Registry {
    return meteredRegistry(registry, this.#meter, systemClock);
  }

  turned(condition: AgentCondition): void {
    this.#condition = condition;
  }

  /** Until the signal aborts. */
  write(version: string, { log }: { readonly log: Log }, signal: AbortSignal): Promise<void> {
    const metrics = { path: this.#path, meter: this.#meter, version, condition: () => this.#condition };
    return writeAgentMetrics(metrics, { clock: systemClock, log, signal });
  }
}
