/**
 * Cells of the table that is filled for what two texts differ in: 2,000 by 2,000 lines, 8 MiB and about 10 ms. A manifest is rarely as long,
 * and beyond it what differs counts as new.
 */
const CELLS_MAX = 4_000_000;

/**
 * For each line of the newer text the index of the same line in the older one, or null where it is new there: by a longest common
 * subsequence, as every line-wise diff has it.
 */
export function lineOrigins(older: readonly string[], newer: readonly string[]): readonly (number | null)[] {
  const shorter = Math.min(older.length, newer.length);
  let start = 0;
  while (start < shorter && older[start] === newer[start]) start++;
  let end = 0;
  while (end < shorter - start && older.at(-1 - end) === newer.at(-1 - end)) end++;
  const middle = common(older.slice(start, older.length - end), newer.slice(start, newer.length - end));
  return newer.map((_, index) => {
    if (index < start) return index;
    if (index >= newer.length - end) return index - newer.length + older.length;
    const found = middle[index - start];
    return found === undefined || found === null ? null : found + start;
  });
}

function common(older: readonly string[], newer: readonly string[]): readonly (number | null)[] {
  const [rows, columns] = [older.length, newer.length];
  if (rows === 0 || columns === 0 || rows * columns > CELLS_MAX) return newer.map(() => null);
  // At [row, column]: how many lines both have in common from there to their ends.
  const lengths = new Uint16Array((rows + 1) * (columns + 1));
  const at = (row: number, column: number) => row * (columns + 1) + column;
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      lengths[at(row, column)] =
        older[row] === newer[column]
          ? lengths[at(row + 1, column + 1)]! + 1
          : Math.max(lengths[at(row + 1, column)]!, lengths[at(row, column + 1)]!);
    }
  }
  const origins: (number | null)[] = newer.map(() => null);
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (older[row] === newer[column]) origins[column++] = row++;
    else if (lengths[at(row + 1, column)]! >= lengths[at(row, column + 1)]!) row++;
    else column++;
  }
  return origins;
}
