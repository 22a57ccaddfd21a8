import { parseDuration } from "../spec/duration.ts";

/**
 * What becomes of a unit whose machine is lost: `yes`, it is placed anew after the cluster's grace; `after=10m`, after a grace of its
 * own; `no`, it waits for its machine, so it never runs twice and never anywhere else. The time is written as `formatAfter` does.
 */
export type ReplaceOption = "yes" | "no" | `after=${string}`;

/** What a value must be, for people. */
export const REPLACE_FORM = "yes, no, or after= and a duration such as after=10m";

/** The option's value, its time in one spelling; null where it is none. */
export function parseReplace(text: string): ReplaceOption | null {
  if (text === "yes" || text === "no") return text;
  const milliseconds = replaceAfterMs(text);
  return milliseconds === null ? null : `after=${formatAfter(milliseconds)}`;
}

/** Milliseconds of a grace of its own, or null where it has none. */
export function replaceAfterMs(option: string): number | null {
  return parseDuration(/^after=(.+)$/.exec(option)?.[1] ?? "");
}

/** Whole seconds as such: `600s`, `2500ms`. */
function formatAfter(milliseconds: number): string {
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000}s` : `${milliseconds}ms`;
}
