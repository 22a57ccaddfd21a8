/** Gathers what is asked for in one turn of the event loop, and asks for all of it at once. */
export class Together<Item, Answer> {
  readonly #ask: (items: readonly Item[]) => Promise<Answer>;
  #gathered: Item[] = [];
  #asking: Promise<Answer> | null = null;

  constructor(ask: (items: readonly Item[]) => Promise<Answer>) {
    this.#ask = ask;
  }

  /** Settles as the question that this item went into. */
  ask(item: Item): Promise<Answer> {
    this.#gathered.push(item);
    this.#asking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      const items = this.#gathered;
      this.#gathered = [];
      this.#asking = null;
      return this.#ask(items);
    });
    return this.#asking;
  }
}
