import { type Bytes, byteRange, isInRange } from "./byte-range.ts";
import { MvccError } from "./mvcc-error.ts";
import type { DeleteQuery, OperationQuery, PutQuery, RangeQuery, TxnQuery } from "./mvcc-request.ts";

/** What etcd refuses about a range before it looks at the store. */
export function checkRange(query: RangeQuery): void {
  if (query.key === "") throw new MvccError("key-empty");
}

/** What etcd refuses about a put before it looks at the store. */
export function checkPut(query: PutQuery): void {
  if (query.key === "") throw new MvccError("key-empty");
  if (query.ignoreValue && query.value !== "") throw new MvccError("value-provided");
  if (query.ignoreLease && query.lease !== "0") throw new MvccError("lease-provided");
}

/** What etcd refuses about a deletion before it looks at the store. */
export function checkDelete(query: DeleteQuery): void {
  if (query.key === "") throw new MvccError("key-empty");
}

/** What etcd refuses about a transaction before it looks at the store, of both branches and all transactions inside. */
export function checkTxn(txn: TxnQuery, operationsMax: number): void {
  checkLevel(txn, operationsMax);
  checkOverlaps(txn.success);
  checkOverlaps(txn.failure);
}

function checkLevel(txn: TxnQuery, operationsMax: number): void {
  const operations = Math.max(txn.compare.length, txn.success.length, txn.failure.length);
  if (operations > operationsMax) throw new MvccError("too-many-operations");
  for (const compare of txn.compare) if (compare.key === "") throw new MvccError("key-empty");
  for (const operation of [...txn.success, ...txn.failure]) checkOperation(operation, operationsMax - operations);
}

function checkOperation(operation: OperationQuery, operationsLeft: number): void {
  switch (operation.kind) {
    case "range":
      checkRange(operation);
      return;
    case "put":
      checkPut(operation);
      return;
    case "delete":
      checkDelete(operation);
      return;
    case "txn":
      checkLevel(operation, operationsLeft);
      return;
    case "empty":
      throw new MvccError("key-not-found");
  }
}

interface Touched {
  readonly puts: Set<Bytes>;
  readonly deletes: DeleteQuery[];
}

/**
 * No key is put twice, nor put and deleted, in one transaction. It looks where etcd looks, and so shares its blind spots:
 * a deletion without an end is never seen to overlap, nor one in a transaction that comes after the one that puts.
 */
function checkOverlaps(operations: readonly OperationQuery[]): Touched {
  const deletes = operations.filter((operation) => operation.kind === "delete");
  const puts = new Set<Bytes>();
  const add = (key: Bytes, allowed?: ReadonlySet<Bytes>) => {
    if (puts.has(key) && !allowed?.has(key)) throw new MvccError("duplicate-key");
    if (deletes.some((deletion) => covers(deletion, key))) throw new MvccError("duplicate-key");
    puts.add(key);
  };
  for (const operation of operations) {
    if (operation.kind !== "txn") continue;
    const success = checkOverlaps(operation.success);
    const failure = checkOverlaps(operation.failure);
    for (const key of success.puts) add(key);
    // Only one of the two branches will run.
    for (const key of failure.puts) add(key, success.puts);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const operation of operations) if (operation.kind === "put") add(operation.key);
  return { puts, deletes };
}

function covers(deletion: DeleteQuery, key: Bytes): boolean {
  return deletion.rangeEnd !== "\0" && isInRange(byteRange(deletion.key, deletion.rangeEnd), key);
}
