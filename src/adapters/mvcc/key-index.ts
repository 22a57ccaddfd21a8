import type { ByteRange, Bytes } from "./byte-range.ts";
import { KeyHistory } from "./key-history.ts";

/** Long enough that the list of blocks stays short (200 for 50,000 keys), short enough that inserting into one is cheap. */
const BLOCK_MAX = 512;

/** Histories by key, and in the order of keys: blocks of sorted arrays, none of them empty. */
export class KeyIndex {
  readonly #byKey = new Map<Bytes, KeyHistory>();
  readonly #blocks: KeyHistory[][] = [];

  get(key: Bytes): KeyHistory | undefined {
    return this.#byKey.get(key);
  }

  /** The key's history, made if there is none. */
  open(key: Bytes): KeyHistory {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const history = new KeyHistory(key);
    this.#byKey.set(key, history);
    this.#insert(history);
    return history;
  }

  remove(key: Bytes): void {
    if (!this.#byKey.delete(key)) return;
    const blockAt = this.#blockFor(key);
    const block = this.#blocks[blockAt]!;
    block.splice(lowerBound(block, key), 1);
    if (block.length === 0) this.#blocks.splice(blockAt, 1);
  }

  /** In byte order. The index must not change meanwhile. */
  *within(range: ByteRange): Generator<KeyHistory> {
    if (range.single) {
      const only = this.#byKey.get(range.from);
      if (only !== undefined) yield only;
      return;
    }
    let blockAt = this.#blockFor(range.from);
    let at = blockAt < this.#blocks.length ? lowerBound(this.#blocks[blockAt]!, range.from) : 0;
    for (; blockAt < this.#blocks.length; blockAt++, at = 0) {
      const block = this.#blocks[blockAt]!;
      for (; at < block.length; at++) {
        const history = block[at]!;
        if (range.to !== null && history.key >= range.to) return;
        yield history;
      }
    }
  }

  all(): Iterable<KeyHistory> {
    return this.#byKey.values();
  }

  #insert(history: KeyHistory): void {
    const blockAt = this.#blockFor(history.key);
    const block = this.#blocks[blockAt];
    if (block === undefined) {
      this.#blocks.push([history]);
      return;
    }
    block.splice(lowerBound(block, history.key), 0, history);
    if (block.length > BLOCK_MAX) this.#blocks.splice(blockAt + 1, 0, block.splice(BLOCK_MAX / 2));
  }

  /** The last block that begins at the key or before it, the first one where none does. */
  #blockFor(key: Bytes): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#blocks[middle]![0]!.key <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

function lowerBound(block: readonly KeyHistory[], key: Bytes): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (block[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
