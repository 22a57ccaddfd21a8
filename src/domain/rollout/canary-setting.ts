import { parseSelector } from "../cluster/selector.ts";
import type { Canary } from "../spec/cluster-spec.ts";

/** What a canary must be, for people. */
export const CANARY_FORM = "a number of replicas from 0 to 20000, or a selector of machines such as role=canary";

const COUNT_MAX = 20_000;

/** Reads `1`, `role=canary` or a machine's name; `none` for 0, and undefined where the text is not one. */
export function parseCanary(text: string): Canary | "none" | undefined {
  if (/^[0-9]+$/.test(text)) {
    const count = text.length <= 5 && String(Number(text)) === text ? Number(text) : null;
    if (count === null || count > COUNT_MAX) return undefined;
    return count === 0 ? "none" : { count };
  }
  const match = parseSelector(text);
  return "problem" in match ? undefined : { match };
}
