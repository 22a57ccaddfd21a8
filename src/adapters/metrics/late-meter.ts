import type { GaugeValue, Meter, MetricLabels } from "../../ports/meter.ts";
import type { CounterName, HistogramName } from "../../ports/metric-table.ts";
import type { PromMeter } from "./prom-meter.ts";

/**
 * Measures from the first time somebody asks: a daemon nobody scrapes loads and counts nothing. That counters then begin at zero is what a
 * restart looks like to Prometheus, too.
 */
export class LateMeter implements Meter {
  readonly #of: "engine" | "agent";
  #meter: PromMeter | null = null;
  #loading: Promise<PromMeter> | null = null;

  constructor(of: "engine" | "agent") {
    this.#of = of;
  }

  observe(name: HistogramName, seconds: number, labels?: MetricLabels): void {
    this.#meter?.observe(name, seconds, labels);
  }

  count(name: CounterName, labels?: MetricLabels): void {
    this.#meter?.count(name, labels);
  }

  set(value: GaugeValue): void {
    this.#meter?.set(value);
  }

  /** As of `PromMeter`. */
  async text(current: readonly GaugeValue[]): Promise<string> {
    this.#loading ??= import("./prom-meter.ts").then(({ PromMeter }) => new PromMeter(this.#of));
    this.#meter = await this.#loading;
    return this.#meter.text(current);
  }
}
