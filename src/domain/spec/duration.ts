const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A year: nothing waits longer, and the product stays far below 2^53. */
const LONGEST_MS = 366 * 24 * 3_600_000;

/** Reads `250ms`, `90s`, `2m`, `24h` as milliseconds; null where the text is not one, or is above a year. */
export function parseDuration(text: string): number | null {
  const match = /^(0|[1-9][0-9]{0,11})(ms|s|m|h)$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * MILLISECONDS[match[2]!]!;
  return milliseconds <= LONGEST_MS ? milliseconds : null;
}
