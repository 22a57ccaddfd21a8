import { findSecrets, type SecretRange } from "./find-secrets.ts";

/** Always as long: the length of a secret is part of it. */
export const MASK = "********";

/**
 * The text of a unit file, a manifest or a part of one, with the values of secrets masked: `DB_PASSWORD=********`. Lines stay where
 * they are, also below a secret of several lines, so that a line of the original is found by its number. Two different secrets
 * look alike: compare the originals, and show masked ones.
 */
export function maskSecrets(text: string): string {
  return maskRanges(text, findSecrets(text));
}

/** The same for ranges already found. */
export function maskRanges(text: string, ranges: readonly SecretRange[]): string {
  if (ranges.length === 0) return text;
  let masked = "";
  let at = 0;
  for (const { start, end } of ranges) {
    masked += text.slice(at, start) + maskedValue(text.slice(start, end));
    at = end;
  }
  return masked + text.slice(at);
}

/** Each line of a value of several; the backslash that continues a line stays. */
function maskedValue(value: string): string {
  if (!value.includes("\n")) return MASK;
  return value
    .split("\n")
    .map((line) => (line.trim() === "" || line === "\\" ? line : `${MASK}${line.endsWith("\\") ? "\\" : ""}`))
    .join("\n");
}
