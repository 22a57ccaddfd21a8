import { compareText, type UnitName } from "../names.ts";
import { compileGlob } from "../unit/glob.ts";

/** One glob that at least one unit declares. Numbers are indices into the sorted list of units. */
export interface IndexedGlob {
  readonly declaredBy: readonly number[];
  readonly matches: readonly number[];
}

/**
 * Each distinct glob once, with who declares it and whom it matches. Instances of one template share their globs, and a
 * glob is only tried on names that begin with its literal part: linear in what matches, not units × globs.
 */
export function indexGlobs(names: readonly UnitName[], globsOf: (unit: number) => readonly string[]): IndexedGlob[] {
  const declaredBy = new Map<string, number[]>();
  for (let unit = 0; unit < names.length; unit += 1) {
    for (const glob of new Set(globsOf(unit))) {
      const declaring = declaredBy.get(glob);
      if (declaring === undefined) declaredBy.set(glob, [unit]);
      else declaring.push(unit);
    }
  }
  return [...declaredBy]
    .sort(([a], [b]) => compareText(a, b))
    .map(([glob, declaring]) => ({ declaredBy: declaring, matches: matchesOf(names, glob) }));
}

function matchesOf(names: readonly UnitName[], glob: string): number[] {
  const literal = /^[^*?[\\]*/.exec(glob)![0];
  const matches = compileGlob(glob);
  const found: number[] = [];
  // A malformed glob is an error when the commit is compiled.
  if (matches === null) return found;
  for (let unit = firstFrom(names, literal); names[unit]?.startsWith(literal); unit += 1) {
    if (matches(names[unit]!)) found.push(unit);
  }
  return found;
}

function firstFrom(names: readonly UnitName[], text: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(names[middle]!, text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
