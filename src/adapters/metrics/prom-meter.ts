import Counter from "prom-client/lib/counter.js";
import Gauge from "prom-client/lib/gauge.js";
import Histogram from "prom-client/lib/histogram.js";
import Registry from "prom-client/lib/registry.js";
import type { GaugeValue, Meter, MetricLabels } from "../../ports/meter.ts";
import {
  type CounterName,
  type HistogramName,
  METRICS,
  type MetricDescription,
  type MetricName,
} from "../../ports/metric-table.ts";

/** Seconds: from a call on this machine's D-Bus (1 ms) to a pass that starts hundreds of units. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Counts and measures of one daemon, written in Prometheus' format. */
export class PromMeter implements Meter {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, InstanceType<typeof Counter>>();
  readonly #gauges = new Map<MetricName, InstanceType<typeof Gauge>>();
  readonly #histograms = new Map<MetricName, InstanceType<typeof Histogram>>();
  /** Gauges that are told when they change; the others are asked for. */
  readonly #told = new Set<MetricName>();

  constructor(of: "engine" | "agent") {
    const registers = [this.#registry];
    for (const [key, metric] of Object.entries<MetricDescription>(METRICS)) {
      if (metric.of !== "both" && metric.of !== of) continue;
      const name = key as MetricName;
      const options = { name, help: metric.help, labelNames: [...metric.labels], registers };
      if (metric.kind === "counter") this.#counters.set(name, new Counter(options));
      else if (metric.kind === "gauge") this.#gauges.set(name, new Gauge(options));
      else this.#histograms.set(name, new Histogram({ ...options, buckets: BUCKETS }));
    }
    // Nothing is said of what nobody knows.
    for (const gauge of this.#gauges.values()) forget(gauge);
  }

  observe(name: HistogramName, seconds: number, labels: MetricLabels = {}): void {
    this.#histograms.get(name)?.observe(labels, seconds);
  }

  count(name: CounterName, labels: MetricLabels = {}): void {
    this.#counters.get(name)?.inc(labels);
  }

  set(value: GaugeValue): void {
    this.#told.add(value.name);
    this.#put(value);
  }

  /** As a page of text, with these for all gauges nobody `set`: a state nothing is in any more is not there. */
  text(current: readonly GaugeValue[]): Promise<string> {
    for (const [name, gauge] of this.#gauges) if (!this.#told.has(name)) forget(gauge);
    for (const value of current) this.#put(value);
    return this.#registry.metrics();
  }

  #put({ name, labels = {}, value }: GaugeValue): void {
    this.#gauges.get(name)?.set(labels, value);
  }
}

/** One without labels would be 0 otherwise. */
function forget(gauge: InstanceType<typeof Gauge>): void {
  gauge.reset();
  gauge.remove({});
}
