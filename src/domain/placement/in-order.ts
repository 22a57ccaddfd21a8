import { compareText } from "../names.ts";

/**
 * Sorted by name. Specs are, so mostly it is the same list: sorting ten thousand that are in order costs as much as placing a part of them.
 * `known`: a list that is in order; what follows another there as it does here is not compared.
 */
export function inOrder<T extends { readonly name: string }>(list: readonly T[], known: readonly T[]): readonly T[] {
  let next = 0;
  const isInOrder = list.every((one, at) => {
    if (known[next] !== one && known[next + 1] === one) next += 1;
    const isKnown = known[next] === one;
    const follows = isKnown && next > 0 && known[next - 1] === list[at - 1];
    if (isKnown) next += 1;
    return at === 0 || follows || list[at - 1]!.name <= one.name;
  });
  return isInOrder ? list : [...list].sort((a, b) => compareText(a.name, b.name));
}

/** Goes through two lists, both in order: hears of each name that is in one only, and of each whose two values are not the same object. */
export function difference<T extends { readonly name: string }>(
  before: readonly T[],
  now: readonly T[],
  differs: (before: T | null, now: T | null) => void,
): void {
  let [a, b] = [0, 0];
  while (a < before.length || b < now.length) {
    const [one, other] = [before[a], now[b]];
    if (one !== other) {
      const order = one === undefined ? 1 : other === undefined ? -1 : compareText(one.name, other.name);
      differs(order <= 0 ? one! : null, order >= 0 ? other! : null);
      if (order < 0) b -= 1;
      if (order > 0) a -= 1;
    }
    a += 1;
    b += 1;
  }
}

/** The value of that name in a list that is in order. */
export function named<T extends { readonly name: string }>(list: readonly T[], name: string): T | null {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.name < name) low = middle + 1;
    else high = middle;
  }
  const found = list[low];
  return found?.name === name ? found : null;
}
