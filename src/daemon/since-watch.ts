import type { Clock } from "../ports/clock.ts";

/** Since when each of some things has been so, in the time of people: the same words for as long as it is. One for each list of a report. */
export class SinceWatch<T> {
  readonly #clock: Clock;
  readonly #keyOf: (one: T) => string;
  #known: ReadonlyMap<string, T & { readonly since: string }> = new Map();

  constructor(clock: Clock, keyOf: (one: T) => string) {
    this.#clock = clock;
    this.#keyOf = keyOf;
  }

  /** What is so now, in the order given. `kept`: which of what was said at first still holds, whatever is said now. */
  current(now: readonly T[], kept: (first: T, now: T) => T = (_, one) => one): (T & { readonly since: string })[] {
    const at = new Date(this.#clock.wallMs()).toISOString();
    const entries = now.map((one) => {
      const key = this.#keyOf(one);
      const known = this.#known.get(key);
      return [key, { ...(known === undefined ? one : kept(known, one)), since: known?.since ?? at }] as const;
    });
    this.#known = new Map(entries);
    return entries.map(([, one]) => one);
  }
}
