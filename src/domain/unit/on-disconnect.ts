import { parseDuration } from "../spec/duration.ts";

/**
 * What becomes of a unit whose machine has lost the cluster: `keep` runs on; `stop-after=20s` is stopped that long after the last
 * renewal of its machine's lease was sent, so that it may run elsewhere. The time is written as `formatStopAfter` does.
 */
export type OnDisconnect = "keep" | `stop-after=${string}`;

/**
 * A unit that is to stop sooner would do so for every hiccup of the registry: within its time a lease is renewed three times, and a call
 * that takes half a second is nothing unusual.
 */
export const STOP_AFTER_MIN_MS = 2_000;

/** What a value must be, for people. */
export const ON_DISCONNECT_FORM = `keep, or stop-after= and a duration of ${STOP_AFTER_MIN_MS / 1_000}s or more, such as stop-after=20s`;

/** The option's value, its time in one spelling; null where it is none. */
export function parseOnDisconnect(text: string): OnDisconnect | null {
  if (text === "keep") return text;
  const milliseconds = parseDuration(/^stop-after=(.+)$/.exec(text)?.[1] ?? "");
  if (milliseconds === null || milliseconds < STOP_AFTER_MIN_MS) return null;
  return `stop-after=${formatStopAfter(milliseconds)}`;
}

/** Milliseconds, or null where the unit is kept. */
export function stopAfterMsOf(option: OnDisconnect): number | null {
  return parseDuration(/^stop-after=(.+)$/.exec(option)?.[1] ?? "");
}

/** Whole seconds as such: `20s`, `2500ms`. */
export function formatStopAfter(milliseconds: number): string {
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000}s` : `${milliseconds}ms`;
}
