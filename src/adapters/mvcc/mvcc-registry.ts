import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type {
  Compare,
  Entry,
  EntryChange,
  LeaseId,
  Listing,
  ListOptions,
  Operation,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
  WatchMessage,
} from "../../ports/registry.ts";
import { type ByteRange, type Bytes, prefixRange } from "./byte-range.ts";
import { isDeletion, type KeyVersion, NO_LEASE } from "./key-history.ts";
import { MvccError } from "./mvcc-error.ts";
import type { CompareQuery, OperationQuery, RangeQuery } from "./mvcc-request.ts";
import type { MvccStore } from "./mvcc-store.ts";
import { rangeOnce, runTxn } from "./run-txn.ts";
import { WatchCursor, type WatchStep } from "./watch-cursor.ts";

/**
 * The registry over a store of the same process: one object for each client that shares it. The clock is the store's, not
 * the client's, and somebody runs `expireLeases` on it. Calls take effect at once and answer in the next microtask.
 */
export class MvccRegistry implements Registry {
  readonly #store: MvccStore;
  readonly #clock: Clock;
  readonly #closed = new AbortController();

  constructor(store: MvccStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Listing> {
    const query = rangeQuery(prefix, options.exact === true, options.revision ?? 0);
    const answer = this.#ask("list", () => rangeOnce(this.#store, query));
    return { revision: options.revision ?? answer.revision, entries: answer.versions.map(entryOf) };
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const answer = this.#ask("txn", () =>
      runTxn(this.#store, {
        kind: "txn",
        compare: txn.when.map(compareQuery),
        success: txn.then.map(operationQuery),
        failure: (txn.otherwise ?? []).map(operationQuery),
      }),
    );
    const listings = answer.answers.flatMap((one) => (one.kind === "range" ? [one.versions.map(entryOf)] : []));
    return { succeeded: answer.succeeded, revision: answer.revision, listings };
  }

  async *watch(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<WatchMessage> {
    // At exactly after + 1 nothing would be missing here; etcd can promise that only from `after` on, and one port has one rule.
    if (after < this.#store.compactedRevision) {
      yield { kind: "compacted" };
      return;
    }
    const cursor = new WatchCursor(this.#store, byteRangeOf(prefix, false), after + 1);
    const ended = AbortSignal.any([signal, this.#closed.signal]);
    while (!ended.aborted) {
      const step = await nextNews(this.#store, cursor, ended);
      if (step === null) return;
      if (step.kind === "compacted") {
        yield { kind: "compacted" };
        return;
      }
      const revision = step.events[step.events.length - 1]!.modRevision;
      yield { kind: "changes", revision, changes: step.events.map(changeOf) };
    }
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    return this.#ask("grantLease", () => {
      const id = this.#store.mintLeaseId();
      this.#store.grantLease(id, Math.ceil(ttlMs / 1000), this.#clock.monotonicMs());
      return id;
    });
  }

  async keepAlive(lease: LeaseId): Promise<boolean> {
    return this.#ask("keepAlive", () => this.#store.renewLease(lease, this.#clock.monotonicMs()) !== undefined);
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    this.#ask("revokeLease", () => {
      if (this.#store.leases.get(lease) !== undefined) this.#store.revokeLease(lease);
    });
  }

  async describe(): Promise<RegistryDescription> {
    return this.#ask("describe", () => ({
      version: "mvcc",
      revision: this.#store.revision,
      members: 1,
      clusterId: this.#store.clusterId,
    }));
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }

  #ask<Answer>(call: string, run: () => Answer): Answer {
    if (this.#closed.signal.aborted)
      throw new OperationError("registry-closed", `${call}: the registry client is closed`);
    try {
      return run();
    } catch (error) {
      if (!(error instanceof MvccError)) throw error;
      throw new OperationError(codeOf(error), `${call}: ${error.message}`, { cause: error });
    }
  }
}

function codeOf(error: MvccError): string {
  return error.reason === "revision-compacted" || error.reason === "lease-not-found"
    ? error.reason
    : "registry-refused";
}

type News = Exclude<WatchStep, { kind: "idle" }>;

/** What the cursor comes upon next, now or after an effect to come; null when the signal aborts before. */
function nextNews(store: MvccStore, cursor: WatchCursor, signal: AbortSignal): Promise<News | null> {
  return new Promise((resolve) => {
    const look = (): boolean => {
      const step = cursor.next(store.revision);
      if (step.kind !== "idle") end(step);
      return step.kind !== "idle";
    };
    const end = (news: News | null) => {
      unsubscribe();
      signal.removeEventListener("abort", abort);
      resolve(news);
    };
    const abort = () => end(null);
    let unsubscribe = (): void => undefined;
    if (look()) return;
    unsubscribe = store.subscribe(look);
    signal.addEventListener("abort", abort);
  });
}

function byteRangeOf(prefix: string, exact: boolean): ByteRange {
  const key = toBytes(prefix);
  return exact ? { from: key, to: `${key}\0`, single: true } : prefixRange(key);
}

function rangeQuery(prefix: string, exact: boolean, revision = 0): RangeQuery {
  return {
    kind: "range",
    ...keysOf(prefix, exact),
    limit: 0,
    revision,
    order: "none",
    target: "key",
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

/** A range as a request spells it; the empty prefix is every key there is, the empty key is none. */
function keysOf(prefix: string, exact: boolean): { readonly key: Bytes; readonly rangeEnd: Bytes } {
  const range = byteRangeOf(prefix, exact);
  if (exact) return { key: range.from, rangeEnd: "" };
  return { key: range.from === "" ? "\0" : range.from, rangeEnd: range.to ?? "\0" };
}

function operationQuery(operation: Operation): OperationQuery {
  switch (operation.kind) {
    case "put":
      return {
        kind: "put",
        key: toBytes(operation.key),
        value: toBytes(operation.value),
        lease: operation.lease ?? NO_LEASE,
        wantsPrevious: false,
        ignoreValue: false,
        ignoreLease: false,
      };
    case "delete":
      return { kind: "delete", ...keysOf(operation.key, true), wantsPrevious: false };
    case "delete-prefix":
      return { kind: "delete", ...keysOf(operation.prefix, false), wantsPrevious: false };
    case "list":
      return rangeQuery(operation.prefix, operation.exact === true);
  }
}

function compareQuery(compare: Compare): CompareQuery {
  const { is } = compare;
  const target: CompareQuery["target"] =
    compare.target === "value"
      ? { kind: "value", value: toBytes(compare.value) }
      : { kind: compare.target, value: compare.value };
  return { key: toBytes(compare.key), rangeEnd: "", is, target };
}

function changeOf(event: KeyVersion): EntryChange {
  if (!isDeletion(event)) return { kind: "put", entry: entryOf(event) };
  return { kind: "delete", key: fromBytes(event.key), modRevision: event.modRevision };
}

/** Versions never change, so that every reader of one can share its entry. */
const entries = new WeakMap<KeyVersion, Entry>();

function entryOf(version: KeyVersion): Entry {
  let entry = entries.get(version);
  if (entry === undefined) {
    const { createRevision, modRevision, version: count, lease } = version;
    entry = Object.freeze({
      key: fromBytes(version.key),
      value: fromBytes(version.value),
      createRevision,
      modRevision,
      version: count,
      lease: lease === NO_LEASE ? null : lease,
    });
    entries.set(version, entry);
  }
  return entry;
}

const ASCII = /^[\0-\x7f]*$/;

function toBytes(text: string): Bytes {
  return ASCII.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

function fromBytes(bytes: Bytes): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}
