import { loadavg } from "node:os";

/** What one bench measured. `ratio` is value over floor, both from the same run; null where there is no floor. */
export interface Figures {
  readonly value: number;
  readonly floor: number | null;
  readonly ratio: number | null;
  readonly unit: string;
  /** Whatever else explains the figure. */
  readonly [detail: string]: unknown;
}

/** As given on the command line; null is the bench's own default. */
export interface Sizes {
  readonly units: number | null;
  readonly machines: number | null;
  readonly seconds: number | null;
}

export function figuresOf(value: number, floor: number | null, unit: string, details: object): Figures {
  return {
    value: rounded(value),
    floor: floor === null ? null : rounded(floor),
    ratio: floor === null ? null : rounded(value / floor),
    unit,
    ...details,
    // Others' work on the machine widens every time; ratios and counts stand it better.
    loadAverage: rounded(loadavg()[0] ?? 0),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Medians in milliseconds of both legs, run floor, ours, floor, ours, … so that whatever else goes on hits both alike. */
export async function interleaved(
  rounds: number,
  floor: () => Promise<void>,
  ours: () => Promise<void>,
): Promise<{ readonly floor: number; readonly ours: number }> {
  const times = { floor: [] as number[], ours: [] as number[] };
  // The first of each warms file caches and the compile cache.
  await floor();
  await ours();
  for (let round = 0; round < rounds; round++) {
    times.floor.push(await timed(floor));
    times.ours.push(await timed(ours));
  }
  return { floor: median(times.floor), ours: median(times.ours) };
}

export async function timed(act: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await act();
  return performance.now() - started;
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

/** CPU time of the whole process meanwhile, collecting garbage and compiling included. */
export function cpuMs(act: () => unknown): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
