import type { UnitName } from "../names.ts";
import { compileGlob } from "../unit/glob.ts";

interface Pattern {
  readonly number: number;
  readonly matches: (name: string) => boolean;
}

/**
 * Every glob that was declared, under a number of its own, and whom it matches. Instances of one template share their globs; plain names
 * are looked up, and a pattern is tried only on names that begin with its literal part. What nobody declares any more stays, and
 * does no harm.
 */
export class GlobBook {
  readonly #numbers = new Map<string, number>();
  readonly #plain = new Map<string, number>();
  /** By their literal beginnings, and how long those are. */
  readonly #patterns = new Map<string, Pattern[]>();
  readonly #lengths: number[] = [];

  get isEmpty(): boolean {
    return this.#numbers.size === 0;
  }

  /** The numbers of these globs, each once; `added` hears those that were not known. */
  numbersOf(globs: readonly string[], added: (glob: string) => void): readonly number[] {
    if (globs.length === 0) return NONE;
    const numbers = globs.map((glob) => {
      const known = this.#numbers.get(glob);
      if (known !== undefined) return known;
      added(glob);
      return this.#learn(glob);
    });
    return numbers.length === 1 ? numbers : [...new Set(numbers)];
  }

  /** The globs that match a unit. */
  matching(name: UnitName): readonly number[] {
    const exact = this.#plain.get(name);
    if (this.#lengths.length === 0) return exact === undefined ? NONE : [exact];
    const found = exact === undefined ? [] : [exact];
    for (const length of this.#lengths) {
      for (const { number, matches } of this.#patterns.get(name.slice(0, length)) ?? []) {
        if (matches(name)) found.push(number);
      }
    }
    return found;
  }

  #learn(glob: string): number {
    const number = this.#numbers.size;
    this.#numbers.set(glob, number);
    const literal = /^[^*?[\\]*/.exec(glob)![0];
    if (literal === glob) {
      this.#plain.set(glob, number);
      return number;
    }
    const matches = compileGlob(glob);
    // A malformed glob is an error when the commit is compiled.
    if (matches === null) return number;
    const others = this.#patterns.get(literal);
    if (others !== undefined) others.push({ number, matches });
    else this.#patterns.set(literal, [{ number, matches }]);
    if (!this.#lengths.includes(literal.length)) this.#lengths.push(literal.length);
    return number;
  }
}

const NONE: readonly number[] = [];
