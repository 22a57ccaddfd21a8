import { textOf, trackedFiles } from "./sources.ts";

/** Faults of a source, by their numbers in our catalogue of faults; each has tests that are named by it. */
export const SOURCE_ROWS: readonly number[] = Array.from({ length: 22 }, (_, at) => 67 + at);

/** Which test files have a test named by that row, as in `row 74: …`, `row 72 and 73: …`, `rows 60 to 62: …`; sorted. */
export function testsByRow(): ReadonlyMap<number, readonly string[]> {
  const files = new Map<number, string[]>();
  for (const path of trackedFiles()) {
    if (!/\.test\.ts$/.test(path)) continue;
    const named = new Set<number>();
    for (const [, words] of textOf(path).matchAll(/["`]rows? (\d+(?:(?:, | and | to )\d+)*)[: ]/g)) {
      for (const row of rowsOf(words!)) named.add(row);
    }
    for (const row of named) files.set(row, [...(files.get(row) ?? []), path]);
  }
  return files;
}

function rowsOf(words: string): number[] {
  return words.split(/, | and /).flatMap((part) => {
    const [from, to = from] = part.split(" to ").map(Number) as [number, number?];
    return Array.from({ length: to! - from + 1 }, (_, at) => from + at);
  });
}

/** The rows of a table whose first column is a number, with the files its last one names. */
export function documentedRows(page: string): ReadonlyMap<number, readonly string[]> {
  const rows = textOf(page).matchAll(/^\| (\d+) \|.*\| ([^|]*) \|$/gm);
  return new Map(
    [...rows].map(([, row, files]) => [
      Number(row),
      [...files!.matchAll(/`([^`]+)`/g)].map(([, path]) => path!).sort(),
    ]),
  );
}
