import { LoadIndex, type Loads } from "./load-index.ts";
import type { KeyValues } from "./replica-counts.ts";

/** The machines a kind of group may ever use, and those of them that are open to newcomers now; by machine number. */
export class Candidates {
  /** Whether the commit allows each machine. */
  readonly allowed: readonly boolean[];
  /** Whether each has what the units need of it; without, those that are there stay, and none comes. */
  readonly capable: readonly boolean[];
  /** Of those that are both. */
  readonly allowedCount: number;
  readonly #loads: Loads;
  #open: readonly number[] = [];
  #index: LoadIndex | null = null;
  readonly #indexByValue = new Map<string, LoadIndex>();

  constructor(allowed: readonly boolean[], capable: readonly boolean[], isOpen: readonly boolean[], loads: Loads) {
    this.allowed = allowed;
    this.capable = capable;
    this.#loads = loads;
    let allowedCount = 0;
    for (let machine = 0; machine < allowed.length; machine += 1) {
      if (allowed[machine]! && capable[machine]!) allowedCount += 1;
    }
    this.allowedCount = allowedCount;
    this.reopen(isOpen);
  }

  get open(): readonly number[] {
    return this.#open;
  }

  /** Other machines are open now. */
  reopen(isOpen: readonly boolean[]): void {
    const open: number[] = [];
    for (let machine = 0; machine < isOpen.length; machine += 1) {
      if (this.allowed[machine]! && this.capable[machine]! && isOpen[machine]!) open.push(machine);
    }
    this.#open = open;
    this.#index = null;
    this.#indexByValue.clear();
  }

  /** Whether these are the very machines. */
  isOf(allowed: readonly boolean[], capable: readonly boolean[]): boolean {
    return allowed.every((isAllowed, machine) => {
      return isAllowed === this.allowed[machine] && capable[machine] === this.capable[machine];
    });
  }

  /** All of them in one tree. */
  get index(): LoadIndex {
    this.#index ??= new LoadIndex([this.#open], this.#loads);
    return this.#index;
  }

  /** A tree for each value of a key, by its number. */
  indexByValue(key: string, values: KeyValues): LoadIndex {
    const known = this.#indexByValue.get(key);
    if (known !== undefined) return known;
    const byValue = values.names.map((): number[] => []);
    for (const machine of this.#open) byValue[values.of[machine]!]!.push(machine);
    const index = new LoadIndex(byValue, this.#loads);
    this.#indexByValue.set(key, index);
    return index;
  }
}
