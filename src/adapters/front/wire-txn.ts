import type { Compare, Entry, Operation, Txn, TxnResult } from "../../ports/registry.ts";
import type {
  Compare as CompareMessage,
  Outgoing,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnRequest,
  TxnResponse,
} from "../etcd-proto/etcd-messages.ts";
import { COMPARE_RESULT, COMPARE_TARGET } from "../etcd-proto/etcd-messages.ts";
import { byteRange } from "../mvcc/byte-range.ts";
import { notServed } from "./front-error.ts";
import { spanOf, textOf } from "./wire-span.ts";

/** The transaction in words of the port. Throws FrontRefusal for what the port does not know: it must not be done by halves. */
export function txnOf({ compare, success, failure }: TxnRequest): Txn {
  return { when: compare.map(compareOf), then: success.map(operationOf), otherwise: failure.map(operationOf) };
}

/** Our clients ask neither what was there before nor how much was deleted. */
export function txnResponse(
  header: Outgoing<ResponseHeader>,
  { then, otherwise = [] }: Txn,
  { succeeded, revision, listings }: TxnResult,
): Outgoing<TxnResponse> {
  const nested = { revision: String(revision) };
  const lists = listings.values();
  const responses = (succeeded ? then : otherwise).map(({ kind }): Outgoing<ResponseOp> => {
    if (kind === "put") return { response_put: { header: nested } };
    if (kind !== "list") return { response_delete_range: { header: nested } };
    const entries = lists.next().value ?? [];
    return { response_range: { header: nested, kvs: entries.map(keyValueOf), count: String(entries.length) } };
  });
  return { header, succeeded, responses };
}

function keyValueOf({ key, value, createRevision, modRevision, version, lease }: Entry) {
  return {
    key: Buffer.from(key),
    value: Buffer.from(value),
    create_revision: String(createRevision),
    mod_revision: String(modRevision),
    version: String(version),
    lease: lease ?? "0",
  };
}

const IS: Readonly<Record<number, Compare["is"]>> = {
  [COMPARE_RESULT.equal]: "=",
  [COMPARE_RESULT.greater]: ">",
  [COMPARE_RESULT.less]: "<",
  [COMPARE_RESULT.notEqual]: "!=",
};

function compareOf(message: CompareMessage): Compare {
  const is = IS[message.result];
  if (is === undefined || message.range_end.length > 0) throw notServed("such comparisons");
  const key = textOf(message.key);
  switch (message.target) {
    case COMPARE_TARGET.create:
      return { key, target: "create", is, value: Number(message.create_revision ?? 0) };
    case COMPARE_TARGET.mod:
      return { key, target: "mod", is, value: Number(message.mod_revision ?? 0) };
    case COMPARE_TARGET.version:
      return { key, target: "version", is, value: Number(message.version ?? 0) };
    case COMPARE_TARGET.value:
      if (is !== "=" && is !== "!=") throw notServed("orders of values");
      return { key, target: "value", is, value: message.value === undefined ? "" : textOf(message.value) };
    default:
      throw notServed("such comparisons");
  }
}

function operationOf({ request_range, request_put, request_delete_range }: RequestOp): Operation {
  if (request_put !== undefined) {
    const { key, value, lease, prev_kv, ignore_lease, ignore_value } = request_put;
    if (prev_kv || ignore_lease || ignore_value) throw notServed("such puts");
    return { kind: "put", key: textOf(key), value: textOf(value), ...(lease === "0" ? {} : { lease }) };
  }
  if (request_delete_range !== undefined) {
    const { key, range_end, prev_kv } = request_delete_range;
    if (prev_kv) throw notServed("such deletions");
    const { prefix, exact } = wholeSpan(key, range_end);
    return exact ? { kind: "delete", key: prefix } : { kind: "delete-prefix", prefix };
  }
  if (request_range !== undefined) {
    const { key, range_end, revision, limit } = request_range;
    if (revision !== "0" || limit !== "0") throw notServed("such lists in transactions");
    return { kind: "list", ...wholeSpan(key, range_end) };
  }
  throw notServed("transactions within transactions");
}

/** All of a prefix, not only a page of it. */
function wholeSpan(key: Buffer, rangeEnd: Buffer) {
  const range = byteRange(key.toString("latin1"), rangeEnd.toString("latin1"));
  const span = spanOf(range);
  const isWhole = span.exact || span.prefix === "" || Buffer.from(span.prefix).toString("latin1") === range.from;
  if (!isWhole) throw notServed("ranges but of one whole prefix");
  return span;
}
