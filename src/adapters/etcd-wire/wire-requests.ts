import {
  COMPARE_RESULT,
  COMPARE_TARGET,
  type Compare,
  type DeleteRangeRequest,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  SORT_ORDER,
  SORT_TARGET,
  type TxnRequest,
} from "../etcd-proto/etcd-messages.ts";
import type { Bytes } from "../mvcc/byte-range.ts";
import { MvccError } from "../mvcc/mvcc-error.ts";
import type {
  CompareQuery,
  DeleteQuery,
  OperationQuery,
  PutQuery,
  RangeQuery,
  TxnQuery,
} from "../mvcc/mvcc-request.ts";

/** etcd's default --max-request-bytes, of keys and values. */
const REQUEST_BYTES_MAX = 1.5 * 1024 * 1024;

/** A copy, so that the message's buffer does not live on with the key. */
export function toBytes(buffer: Buffer): Bytes {
  return buffer.toString("latin1");
}

export function rangeQuery(request: RangeRequest): RangeQuery {
  return {
    kind: "range",
    key: toBytes(request.key),
    rangeEnd: toBytes(request.range_end),
    limit: Number(request.limit),
    revision: Number(request.revision),
    order: nameOf(SORT_ORDER, request.sort_order),
    target: nameOf(SORT_TARGET, request.sort_target),
    keysOnly: request.keys_only,
    countOnly: request.count_only,
    minModRevision: Number(request.min_mod_revision),
    maxModRevision: Number(request.max_mod_revision),
    minCreateRevision: Number(request.min_create_revision),
    maxCreateRevision: Number(request.max_create_revision),
  };
}

export function putQuery(request: PutRequest): PutQuery {
  if (request.key.length + request.value.length > REQUEST_BYTES_MAX) throw new MvccError("request-too-large");
  return {
    kind: "put",
    key: toBytes(request.key),
    value: toBytes(request.value),
    lease: request.lease,
    wantsPrevious: request.prev_kv,
    ignoreValue: request.ignore_value,
    ignoreLease: request.ignore_lease,
  };
}

export function deleteQuery(request: DeleteRangeRequest): DeleteQuery {
  return {
    kind: "delete",
    key: toBytes(request.key),
    rangeEnd: toBytes(request.range_end),
    wantsPrevious: request.prev_kv,
  };
}

export function txnQuery(request: TxnRequest): TxnQuery {
  if (bytesOf(request) > REQUEST_BYTES_MAX) throw new MvccError("request-too-large");
  return {
    kind: "txn",
    compare: request.compare.map(compareQuery),
    success: request.success.map(operationQuery),
    failure: request.failure.map(operationQuery),
  };
}

function operationQuery(operation: RequestOp): OperationQuery {
  if (operation.request_range !== undefined) return rangeQuery(operation.request_range);
  if (operation.request_put !== undefined) return putQuery(operation.request_put);
  if (operation.request_delete_range !== undefined) return deleteQuery(operation.request_delete_range);
  if (operation.request_txn !== undefined) return txnQuery(operation.request_txn);
  return { kind: "empty" };
}

function compareQuery(compare: Compare): CompareQuery {
  const is = ({ equal: "=", greater: ">", less: "<", notEqual: "!=" } as const)[nameOf(COMPARE_RESULT, compare.result)];
  return { key: toBytes(compare.key), rangeEnd: toBytes(compare.range_end), is, target: targetOf(compare) };
}

function targetOf(compare: Compare): CompareQuery["target"] {
  const kind = nameOf(COMPARE_TARGET, compare.target);
  switch (kind) {
    case "value":
      return { kind, value: compare.value === undefined ? "" : toBytes(compare.value) };
    case "lease":
      return { kind, value: compare.lease ?? "0" };
    case "version":
      return { kind, value: Number(compare.version ?? 0) };
    case "create":
      return { kind, value: Number(compare.create_revision ?? 0) };
    case "mod":
      return { kind, value: Number(compare.mod_revision ?? 0) };
  }
}

function bytesOf(request: TxnRequest): number {
  let bytes = 0;
  for (const { key, value } of request.compare) bytes += key.length + (value?.length ?? 0);
  for (const operation of [...request.success, ...request.failure]) {
    const { request_put, request_txn } = operation;
    if (request_put !== undefined) bytes += request_put.key.length + request_put.value.length;
    if (request_txn !== undefined) bytes += bytesOf(request_txn);
  }
  return bytes;
}

/** Numbers that mean nothing are refused: guessing what a newer client wants could write the wrong thing. */
function nameOf<Names extends Record<string, number>>(names: Names, number: number): keyof Names & string {
  for (const name in names) if (names[name] === number) return name;
  throw new MvccError("sort-option-invalid");
}
