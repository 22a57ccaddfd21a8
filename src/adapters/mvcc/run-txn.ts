import { TXN_OPERATIONS_MAX } from "../../ports/registry.ts";
import { byteRange } from "./byte-range.ts";
import { checkDelete, checkPut, checkRange, checkTxn } from "./check-txn.ts";
import { holds } from "./compare.ts";
import { NO_LEASE } from "./key-history.ts";
import { MvccError } from "./mvcc-error.ts";
import type {
  DeleteAnswer,
  DeleteQuery,
  OperationAnswer,
  PutAnswer,
  PutQuery,
  RangeAnswer,
  RangeQuery,
  TxnAnswer,
  TxnQuery,
} from "./mvcc-request.ts";
import type { MvccStore, WriteBatch } from "./mvcc-store.ts";
import { runRange } from "./run-range.ts";

/** A read outside of a transaction. Throws MvccError, as all of these do, having changed nothing. */
export function rangeOnce(store: MvccStore, query: RangeQuery): RangeAnswer {
  checkRange(query);
  return runRange(store, query);
}

/** A put outside of a transaction: etcd looks for the lease before it looks for the key, inside one the other way round. */
export function putOnce(store: MvccStore, query: PutQuery): PutAnswer {
  checkPut(query);
  requireLease(store, query);
  requireKept(store, query);
  return store.write((batch) => put(batch, query));
}

/** A deletion outside of a transaction. */
export function deleteOnce(store: MvccStore, query: DeleteQuery): DeleteAnswer {
  checkDelete(query);
  return store.write((batch) => deleteRange(store, batch, query));
}

/**
 * A transaction. All comparisons, those of transactions inside too, are made on the state before it; then everything that
 * could fail on the branches taken is checked, puts before ranges; then it runs to its end.
 */
export function runTxn(store: MvccStore, txn: TxnQuery): TxnAnswer {
  checkTxn(txn, TXN_OPERATIONS_MAX);
  const chosen = choose(store, txn);
  for (const operation of operationsOf(chosen)) {
    if (operation.kind !== "put") continue;
    requireKept(store, operation);
    requireLease(store, operation);
  }
  for (const operation of operationsOf(chosen)) if (operation.kind === "range") checkRevision(store, operation);
  return store.write((batch) => ({ ...apply(store, batch, chosen), revision: batch.revision }));
}

/** A transaction whose comparisons are decided. */
interface ChosenTxn {
  readonly kind: "chosen";
  readonly succeeded: boolean;
  readonly operations: readonly (RangeQuery | PutQuery | DeleteQuery | ChosenTxn)[];
}

function choose(store: MvccStore, txn: TxnQuery): ChosenTxn {
  const succeeded = txn.compare.every((compare) => holds(store, compare));
  const operations = (succeeded ? txn.success : txn.failure).flatMap((operation) => {
    if (operation.kind === "empty") return [];
    return operation.kind === "txn" ? choose(store, operation) : operation;
  });
  return { kind: "chosen", succeeded, operations };
}

function* operationsOf(txn: ChosenTxn): Generator<RangeQuery | PutQuery | DeleteQuery> {
  for (const operation of txn.operations) {
    if (operation.kind === "chosen") yield* operationsOf(operation);
    else yield operation;
  }
}

function requireLease(store: MvccStore, query: PutQuery): void {
  if (query.lease !== NO_LEASE && store.leases.get(query.lease) === undefined) throw new MvccError("lease-not-found");
}

function requireKept(store: MvccStore, query: PutQuery): void {
  if (!query.ignoreValue && !query.ignoreLease) return;
  if (store.index.get(query.key)?.latest() === undefined) throw new MvccError("key-not-found");
}

/** Unlike outside of a transaction, a negative revision is not the current one but one long gone. */
function checkRevision(store: MvccStore, query: RangeQuery): void {
  if (query.revision === 0) return;
  if (query.revision > store.revision) throw new MvccError("revision-future");
  if (query.revision < store.compactedRevision) throw new MvccError("revision-compacted");
}

function apply(store: MvccStore, batch: WriteBatch, txn: ChosenTxn): TxnAnswer {
  const answers = txn.operations.map((operation) => applyOne(store, batch, operation));
  // etcd leaves the revision of a transaction inside another at 0.
  return { kind: "txn", revision: 0, succeeded: txn.succeeded, answers };
}

function applyOne(store: MvccStore, batch: WriteBatch, operation: ChosenTxn["operations"][number]): OperationAnswer {
  switch (operation.kind) {
    case "range":
      return runRange(store, operation, batch.revision);
    case "put":
      return put(batch, operation);
    case "delete":
      return deleteRange(store, batch, operation);
    case "chosen":
      return apply(store, batch, operation);
  }
}

/** A deletion without an end earlier in the transaction may have taken what `ignoreValue` keeps (etcd panics): nothing is kept. */
function put(batch: WriteBatch, query: PutQuery): PutAnswer {
  const previous = batch.latest(query.key);
  const value = query.ignoreValue ? (previous?.value ?? "") : query.value;
  const lease = query.ignoreLease ? (previous?.lease ?? NO_LEASE) : query.lease;
  batch.put(query.key, value, lease);
  return { kind: "put", revision: batch.revision, previous: query.wantsPrevious ? previous : undefined };
}

function deleteRange(store: MvccStore, batch: WriteBatch, query: DeleteQuery): DeleteAnswer {
  const range = byteRange(query.key, query.rangeEnd);
  const previous = [...store.select(range, Number.POSITIVE_INFINITY)];
  for (const version of previous) batch.delete(version.key);
  return {
    kind: "delete",
    revision: batch.revision,
    deleted: previous.length,
    previous: query.wantsPrevious ? previous : [],
  };
}
