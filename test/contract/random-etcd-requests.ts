import type {
  Compare,
  DeleteRangeRequest,
  Outgoing,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "../../src/adapters/etcd-proto/etcd-messages.ts";

/** Few enough that requests meet; among them bytes that are no text, and keys that are prefixes of others. */
const KEYS = ["a", "a\0", "aa", "ab", "b", "b\xff", "c", "d/1", "d/2", "\x01", "\xfe\x80"];
const RANGE_ENDS = ["\0", "b", "c", "e", "a", "\xff"];
const VALUES = ["", "x", "y", "zz", "\0\xff"];
/** Long enough that none ends by itself while a test runs. */
export const LEASE_IDS = ["1", "77", "1234567890123456789", "-5"];

/** mulberry32: small, seeded, the same everywhere. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Requests from a seed, good and bad ones, about keys, revisions and leases that exist often enough. */
export class RandomRequests {
  readonly #random: () => number;
  revision = 1;

  constructor(seed: number) {
    this.#random = randomSource(seed);
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  key(): Buffer {
    return this.chance(0.01) ? Buffer.alloc(0) : Buffer.from(this.pick(KEYS), "latin1");
  }

  span(): { key: Buffer; range_end?: Buffer } {
    const key = this.key();
    return this.chance(0.5) ? { key } : { key, range_end: Buffer.from(this.pick(RANGE_ENDS), "latin1") };
  }

  /** Around the current one, sometimes beyond it. */
  someRevision(): string {
    return String(Math.max(0, this.revision + 2 - this.below(30)));
  }

  range(): Outgoing<RangeRequest> {
    return {
      ...this.span(),
      ...(this.chance(0.3) ? { limit: String(this.below(4)) } : {}),
      ...(this.chance(0.3) ? { revision: this.someRevision() } : {}),
      ...(this.chance(0.4) ? { sort_order: this.below(3), sort_target: this.below(5) } : {}),
      ...(this.chance(0.1) ? { keys_only: true } : {}),
      ...(this.chance(0.1) ? { count_only: true } : {}),
      ...(this.chance(0.1) ? { min_mod_revision: this.someRevision() } : {}),
      ...(this.chance(0.1) ? { max_mod_revision: this.someRevision() } : {}),
      ...(this.chance(0.1) ? { min_create_revision: this.someRevision() } : {}),
      ...(this.chance(0.1) ? { max_create_revision: this.someRevision() } : {}),
    };
  }

  put(mayKeep = true): Outgoing<PutRequest> {
    return {
      key: this.key(),
      ...(this.chance(0.9) ? { value: Buffer.from(this.pick(VALUES), "latin1") } : {}),
      ...(this.chance(0.3) ? { lease: this.pick(LEASE_IDS) } : {}),
      ...(this.chance(0.3) ? { prev_kv: true } : {}),
      ...(mayKeep && this.chance(0.15) ? { ignore_value: true, value: Buffer.from(this.chance(0.8) ? "" : "x") } : {}),
      ...(mayKeep && this.chance(0.15) ? { ignore_lease: true, ...(this.chance(0.8) ? { lease: "0" } : {}) } : {}),
    };
  }

  delete(): Outgoing<DeleteRangeRequest> {
    return { ...this.span(), prev_kv: this.chance(0.4) };
  }

  txn(depth = 0, mayKeep = this.chance(0.5)): Outgoing<TxnRequest> {
    const operations = () =>
      Array.from({ length: this.below(depth === 0 ? 5 : 3) }, () => this.#operation(depth, mayKeep));
    return {
      compare: Array.from({ length: this.below(3) }, () => this.#compare()),
      success: operations(),
      failure: operations(),
    };
  }

  #operation(depth: number, mayKeep: boolean): Outgoing<RequestOp> {
    const kind = this.below(depth < 2 ? 20 : 17);
    if (kind < 8) return { request_put: this.put(mayKeep) };
    if (kind < 12) {
      // Deleting without an end what a later put wants to keep makes etcd 3.4 panic.
      const deletion = this.delete();
      const isOpen = deletion.range_end?.length === 1 && deletion.range_end[0] === 0;
      return { request_delete_range: mayKeep && isOpen ? { key: deletion.key! } : deletion };
    }
    if (kind < 17) return this.chance(0.01) ? {} : { request_range: this.range() };
    return { request_txn: this.txn(depth + 1, mayKeep) };
  }

  #compare(): Outgoing<Compare> {
    const members = [
      { version: String(this.below(4)) },
      { create_revision: this.chance(0.5) ? "0" : this.someRevision() },
      { mod_revision: this.chance(0.5) ? "0" : this.someRevision() },
      { value: Buffer.from(this.pick(VALUES), "latin1") },
      { lease: this.chance(0.5) ? "0" : this.pick(LEASE_IDS) },
    ];
    const target = this.below(5);
    // Now and then the member set is not the target's.
    return { ...this.span(), result: this.below(4), target, ...members[this.chance(0.9) ? target : this.below(5)] };
  }
}
