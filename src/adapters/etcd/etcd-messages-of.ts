import type { Compare, Entry, EntryChange, Operation, Txn } from "../../ports/registry.ts";
import type {
  Compare as CompareMessage,
  Event,
  KeyValue,
  Outgoing,
  RequestOp,
  TxnRequest,
} from "../etcd-proto/etcd-messages.ts";
import { COMPARE_RESULT, COMPARE_TARGET, EVENT_DELETE } from "../etcd-proto/etcd-messages.ts";

/** `range_end` is left out for a single key: an empty one would mean "to the end" to some calls. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end?: Buffer;
}

/** Everything under a prefix; the empty prefix is the whole store. */
export function prefixRange(prefix: string): KeyRange {
  if (prefix === "") return { key: Buffer.from([0]), range_end: Buffer.from([0]) };
  const key = Buffer.from(prefix);
  const end = Buffer.from(key);
  // Never overflows: no byte of UTF-8 is above 0xf4.
  end[end.length - 1]! += 1;
  return { key, range_end: end };
}

export function rangeOf(prefix: string, exact: boolean | undefined): KeyRange {
  return exact ? { key: Buffer.from(prefix) } : prefixRange(prefix);
}

/** The first key after this one, in order of bytes. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}

export function entryOf(kv: KeyValue): Entry {
  return {
    key: kv.key.toString(),
    value: kv.value.toString(),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: kv.lease === "0" ? null : kv.lease,
  };
}

export function changeOf(event: Event): EntryChange {
  const kv = event.kv!;
  if (event.type === EVENT_DELETE)
    return { kind: "delete", key: kv.key.toString(), modRevision: Number(kv.mod_revision) };
  return { kind: "put", entry: entryOf(kv) };
}

export function txnRequestOf(txn: Txn): Outgoing<TxnRequest> {
  return {
    compare: txn.when.map(compareOf),
    success: txn.then.map(requestOf),
    failure: (txn.otherwise ?? []).map(requestOf),
  };
}

const RESULTS = {
  "=": COMPARE_RESULT.equal,
  ">": COMPARE_RESULT.greater,
  "<": COMPARE_RESULT.less,
  "!=": COMPARE_RESULT.notEqual,
} as const;

function compareOf(compare: Compare): Outgoing<CompareMessage> {
  const common = { key: Buffer.from(compare.key), result: RESULTS[compare.is] };
  switch (compare.target) {
    case "create":
      return { ...common, target: COMPARE_TARGET.create, create_revision: String(compare.value) };
    case "mod":
      return { ...common, target: COMPARE_TARGET.mod, mod_revision: String(compare.value) };
    case "version":
      return { ...common, target: COMPARE_TARGET.version, version: String(compare.value) };
    case "value":
      return { ...common, target: COMPARE_TARGET.value, value: Buffer.from(compare.value) };
  }
}

function requestOf(operation: Operation): Outgoing<RequestOp> {
  switch (operation.kind) {
    case "put": {
      const { key, value, lease } = operation;
      const put = { key: Buffer.from(key), value: Buffer.from(value) };
      return { request_put: lease === undefined ? put : { ...put, lease } };
    }
    case "delete":
      return { request_delete_range: { key: Buffer.from(operation.key) } };
    case "delete-prefix":
      return { request_delete_range: { ...prefixRange(operation.prefix) } };
    case "list":
      return { request_range: { ...rangeOf(operation.prefix, operation.exact) } };
  }
}
