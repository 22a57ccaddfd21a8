import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { FIRST_LEASE_ID, type MvccEffect, MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  LeaseId,
  Listing,
  ListOptions,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
} from "../ports/registry.ts";

export type Backup = readonly MvccEffect[];

/** The one registry of a simulated cluster, which can be put back to what a backup of it holds: its clients meet it at the same address. */
export class SwitchedRegistry implements Registry {
  readonly #clock: Clock;
  #history: MvccEffect[] = [];
  #store = new MvccStore();
  #inner: MvccRegistry;
  #restores = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#inner = new MvccRegistry(this.#store, clock);
    this.#store.subscribe((effect) => this.#history.push(effect));
  }

  get store(): MvccStore {
    return this.#store;
  }

  /** Everything there is at this moment, for `restore`. */
  backup(): Backup {
    return [...this.#history];
  }

  /** Everything since that backup is gone, revisions too; whoever watches is cut off, leases begin anew. */
  restore(backup: Backup): void {
    const store = new MvccStore("1", FIRST_LEASE_ID + BigInt(++this.#restores) * 1_000_000n);
    this.#history = [...backup];
    for (const effect of this.#history) store.replay(effect, this.#clock.monotonicMs());
    store.subscribe((effect) => this.#history.push(effect));
    const old = this.#inner;
    this.#store = store;
    this.#inner = new MvccRegistry(store, this.#clock);
    void old.close();
  }

  list(prefix: string, options?: ListOptions): Promise<Listing> {
    return this.#inner.list(prefix, options);
  }

  txn(txn: Txn): Promise<TxnResult> {
    return this.#inner.txn(txn);
  }

  watch(...call: Parameters<Registry["watch"]>): ReturnType<Registry["watch"]> {
    return this.#inner.watch(...call);
  }

  grantLease(ttlMs: number): Promise<LeaseId> {
    return this.#inner.grantLease(ttlMs);
  }

  keepAlive(lease: LeaseId): Promise<boolean> {
    return this.#inner.keepAlive(lease);
  }

  revokeLease(lease: LeaseId): Promise<void> {
    return this.#inner.revokeLease(lease);
  }

  describe(): Promise<RegistryDescription> {
    return this.#inner.describe();
  }

  /** Clients come and go; it stays. */
  async close(): Promise<void> {}
}
