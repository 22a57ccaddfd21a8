import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { type MvccEffect, MvccStore } from "../adapters/mvcc/mvcc-store.ts";
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

/** The one registry of a simulated cluster, which can be put back to what a backup of it holds: its clients meet it at the same address. */
export class SwitchedRegistry implements Registry {
  readonly #clock: Clock;
  readonly #history: MvccEffect[] = [];
  #store = new MvccStore();
  #inner: MvccRegistry;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#inner = new MvccRegistry(this.#store, clock);
    this.#store.subscribe((effect) => this.#history.push(effect));
  }

  get store(): MvccStore {
    return this.#store;
  }

  /** A backup of this moment, for `restore`. */
  backup(): number {
    return this.#history.length;
  }

  /** Everything since that backup is gone, revisions too; whoever watches is cut off, leases begin anew. */
  restore(backup: number): void {
    const store = new MvccStore();
    this.#history.length = backup;
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
