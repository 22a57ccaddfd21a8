import type {
  DeleteRangeResponse,
  KeyValue,
  Outgoing,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from "../etcd-proto/etcd-messages.ts";
import type { KeyVersion } from "../mvcc/key-history.ts";
import type { DeleteAnswer, OperationAnswer, PutAnswer, RangeAnswer, TxnAnswer } from "../mvcc/mvcc-request.ts";

type Header = Outgoing<ResponseHeader>;

export function keyValue(version: KeyVersion): Outgoing<KeyValue> {
  return {
    key: Buffer.from(version.key, "latin1"),
    create_revision: String(version.createRevision),
    mod_revision: String(version.modRevision),
    version: String(version.version),
    value: Buffer.from(version.value, "latin1"),
    lease: version.lease,
  };
}

export function rangeResponse(header: Header, answer: RangeAnswer): Outgoing<RangeResponse> {
  return { header, kvs: answer.versions.map(keyValue), more: answer.more, count: String(answer.count) };
}

export function putResponse(header: Header, answer: PutAnswer): Outgoing<PutResponse> {
  return answer.previous === undefined ? { header } : { header, prev_kv: keyValue(answer.previous) };
}

export function deleteResponse(header: Header, answer: DeleteAnswer): Outgoing<DeleteRangeResponse> {
  return { header, deleted: String(answer.deleted), prev_kvs: answer.previous.map(keyValue) };
}

export function txnResponse(header: Header, answer: TxnAnswer): Outgoing<TxnResponse> {
  return { header, succeeded: answer.succeeded, responses: answer.answers.map(responseOp) };
}

/** Inside of a transaction a header says the revision and nothing else. */
function responseOp(answer: OperationAnswer): Outgoing<ResponseOp> {
  const header = { revision: String(answer.revision) };
  switch (answer.kind) {
    case "range":
      return { response_range: rangeResponse(header, answer) };
    case "put":
      return { response_put: putResponse(header, answer) };
    case "delete":
      return { response_delete_range: deleteResponse(header, answer) };
    case "txn":
      return { response_txn: txnResponse(header, answer) };
  }
}
