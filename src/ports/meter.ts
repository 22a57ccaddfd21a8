import type { CounterName, GaugeName, HistogramName } from "./metric-table.ts";

/** By the names METRICS gives, all of them; each of a few values at most. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One value of a gauge. */
export interface GaugeValue {
  readonly name: GaugeName;
  readonly labels?: MetricLabels;
  readonly value: number;
}

/** What a daemon is measured by. Never fails, and never waits: whoever is measured does its work all the same. */
export interface Meter {
  /** In seconds. */
  observe(name: HistogramName, seconds: number, labels?: MetricLabels): void;
  /** One more. */
  count(name: CounterName, labels?: MetricLabels): void;
  set(value: GaugeValue): void;
}
