import { isMetadataKey } from "../cluster/selector.ts";
import type { Spread } from "./fleet-options.ts";

/** What the value must be, for people. */
export const SPREAD_FORM = "a key of the machines' metadata, such as zone, or zone hard";

/** `zone`, `zone hard`; null where it is none of these. */
export function parseSpread(text: string): Spread | null {
  const [key = "", ...words] = text.split(/[ \t]+/);
  if (!isMetadataKey(key) || words.length > 1 || (words.length === 1 && words[0] !== "hard")) return null;
  return { key, hard: words.length === 1 };
}
