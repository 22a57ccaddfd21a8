import { compareText } from "../names.ts";

/** Longer names are not compared: edit distance costs the product of both lengths, and nobody mistypes 64 letters of one. */
const COMPARED_LENGTH_MAX = 64;

/**
 * The known name somebody most likely meant, for "did you mean"; null where none is near. Near is one edit for three
 * letters, at most three: beyond that the suggestion misleads more than it helps. Case alone costs nothing.
 */
export function closestName(wanted: string, known: Iterable<string>): string | null {
  if (wanted.length === 0 || wanted.length > COMPARED_LENGTH_MAX) return null;
  const ending = wanted.includes(".") ? wanted.slice(wanted.lastIndexOf(".")) : "";
  const near = [...known]
    .filter((name) => name.length <= COMPARED_LENGTH_MAX)
    .flatMap((name) => {
      // What both end in says nothing about which was meant: every service is near every other by seven letters.
      const shared = ending !== "" && name.endsWith(ending) ? ending.length : 0;
      const [meant, stem] = [wanted, name].map((text) => text.slice(0, text.length - shared).toLowerCase()) as [
        string,
        string,
      ];
      const limit = Math.min(3, Math.max(1, Math.floor(meant.length / 3)));
      if (Math.abs(meant.length - stem.length) > limit) return [];
      const distance = editDistance(meant, stem);
      return distance <= limit && distance < Math.max(meant.length, stem.length) ? [{ name, distance }] : [];
    });
  near.sort((a, b) => a.distance - b.distance || compareText(a.name, b.name));
  return near[0]?.name ?? null;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, beforeLast[column - 2]! + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
