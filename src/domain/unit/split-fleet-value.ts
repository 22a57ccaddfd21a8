/**
 * The values one `[X-Fleet]` line holds: old fleet's rule. A line that begins and ends with a double quote is split at blanks
 * outside quotes, and the quotes go; any other line is one value. Null where a quote stays open.
 */
export function splitFleetValue(line: string): readonly string[] | null {
  if (!line.startsWith('"') || !line.endsWith('"')) return [line];
  const pieces = line.split('"');
  // Pieces at odd places stand inside quotes, so a closed line has an odd number of pieces.
  if (pieces.length % 2 === 0) return null;
  const values: string[] = [];
  let value: string | null = null;
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 1) {
      value = (value ?? "") + piece;
      continue;
    }
    const [first, ...rest] = piece.split(/[ \t]/);
    if (first !== "") value = (value ?? "") + first;
    for (const next of rest) {
      if (value !== null) values.push(value);
      value = next === "" ? null : next;
    }
  }
  if (value !== null) values.push(value);
  return values;
}
