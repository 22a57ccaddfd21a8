/**
 * The registry: etcd's model, cut down to what we use. One revision counts every write of the whole store; a transaction is
 * the only way to write; a lease takes its keys along when it ends. Two adapters pass one contract suite (test/contract).
 * Every call has a deadline of its own and rejects with OperationError; a `txn` whose reply was lost rejects with
 * UnknownResultError. No call is ever retried inside.
 */
export interface Registry {
  /** Everything under a prefix (or one key with `exact`), at one revision, sorted by key bytes. */
  list(prefix: string, options?: ListOptions): Promise<Listing>;
  txn(txn: Txn): Promise<TxnResult>;
  /**
   * Every change of keys under the prefix after revision `after` (the revision of a Listing, all of which is known already),
   * in order, none twice, none lost. Reconnects by itself for as long as the signal lets it. Ends when the signal aborts.
   */
  watch(prefix: string, after: number, signal: AbortSignal): AsyncIterable<WatchMessage>;
  /** A new lease that ends `ttlMs` after the last keep-alive the store saw (whole seconds, 2 at least: etcd's minimum). */
  grantLease(ttlMs: number): Promise<LeaseId>;
  /** Renews it once; false where it is gone. Measure the lease from when this was called, never from when it returned. */
  keepAlive(lease: LeaseId): Promise<boolean>;
  /** Ends it and its keys; a lease that is gone already is not an error. */
  revokeLease(lease: LeaseId): Promise<void>;
  /** What the other side is, for `status` and diagnostics; rejects where it cannot be reached. */
  describe(): Promise<RegistryDescription>;
  close(): Promise<void>;
}

/** What those who only look need of it: a picture of it in memory has as much. A `txn` of theirs lists and writes nothing. */
export type RegistryReader = Pick<Registry, "list" | "txn">;

/** A decimal 64-bit number as text: lease ids exceed 2^53. */
export type LeaseId = string;

export interface ListOptions {
  /** Read at this revision instead of the current one. Rejects with code `revision-compacted` where it is gone. */
  readonly revision?: number;
  /** The key itself instead of everything under it. */
  readonly exact?: boolean;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId | null;
}

export interface Listing {
  readonly revision: number;
  readonly entries: readonly Entry[];
}

/** All must hold for `then` to happen. A key that does not exist has create, mod and version 0 and equals no value. */
export type Compare =
  | {
      readonly key: string;
      readonly target: "create" | "mod" | "version";
      readonly is: "=" | ">" | "<" | "!=";
      readonly value: number;
    }
  | { readonly key: string; readonly target: "value"; readonly is: "=" | "!="; readonly value: string };

export type Operation =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease?: LeaseId }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "delete-prefix"; readonly prefix: string }
  | { readonly kind: "list"; readonly prefix: string; readonly exact?: boolean };

export interface Txn {
  readonly when: readonly Compare[];
  readonly then: readonly Operation[];
  readonly otherwise?: readonly Operation[];
}

/** etcd's default --max-txn-ops: of each of `when`, `then` and `otherwise` at most this many. */
export const TXN_OPERATIONS_MAX = 128;

export interface TxnResult {
  readonly succeeded: boolean;
  /** The store's revision after it: its own, if it wrote. */
  readonly revision: number;
  /** One for each `list` of the branch taken, in order. */
  readonly listings: readonly (readonly Entry[])[];
}

export type WatchMessage =
  /** All changes of one or more whole revisions. */
  | { readonly kind: "changes"; readonly revision: number; readonly changes: readonly EntryChange[] }
  /** Nothing happened up to this revision. */
  | { readonly kind: "progress"; readonly revision: number }
  /** History between is gone: list again and compare. The watch goes on only with a new call; this is its last message. */
  | { readonly kind: "compacted" };

export type EntryChange =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly modRevision: number };

export interface RegistryDescription {
  /** Empty where it does not tell this user. */
  readonly version: string;
  readonly revision: number;
  /** 0 where it does not tell this user. */
  readonly members: number;
  /** The store's own id, which a restore or a wipe changes. */
  readonly clusterId: string;
  /** What the member that answered complains of, in its own words: its alarms among it. Not there where it does not say. */
  readonly alarms?: readonly string[];
  /** Of the store on that member's disk. Not there where it does not say. */
  readonly storeBytes?: number;
}
