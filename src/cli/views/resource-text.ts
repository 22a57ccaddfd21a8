import type { Resource } from "../../domain/cluster/resources.ts";

/** From the largest on; what a person would write in `Memory=`. */
const SIZES: readonly (readonly [string, number])[] = [
  ["T", 1024 ** 4],
  ["G", 1024 ** 3],
  ["M", 1024 ** 2],
  ["K", 1024],
];

/** `1.5 CPU`, `512M of memory`, with at most one decimal; less than nothing is nothing. */
export function resourceText(resource: Resource, amount: number): string {
  return resource === "cpu" ? `${cpuText(amount)} CPU` : `${sizeText(amount)} of memory`;
}

/** Cores, to the thousandth. */
export function cpuText(milli: number): string {
  return String(Math.max(0, milli) / 1_000);
}

/** Base 1024, rounded down, so that what is shown as free is free. */
export function sizeText(bytes: number): string {
  const [suffix, factor] = SIZES.find(([, size]) => bytes >= size) ?? ["", 1];
  return `${Math.floor((Math.max(0, bytes) / factor) * 10) / 10}${suffix}`;
}
