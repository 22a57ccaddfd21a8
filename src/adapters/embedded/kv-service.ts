import { deleteResponse, putResponse, rangeResponse, txnResponse } from "../etcd-wire/wire-answers.ts";
import { deleteQuery, putQuery, rangeQuery, txnQuery } from "../etcd-wire/wire-requests.ts";
import { deleteOnce, putOnce, rangeOnce, runTxn } from "../mvcc/run-txn.ts";
import { headerAt, type RegistryContext, type UnaryHandler, unary } from "./registry-context.ts";

export interface KvService {
  readonly Range: UnaryHandler<"RangeRequest", "RangeResponse">;
  readonly Put: UnaryHandler<"PutRequest", "PutResponse">;
  readonly DeleteRange: UnaryHandler<"DeleteRangeRequest", "DeleteRangeResponse">;
  readonly Txn: UnaryHandler<"TxnRequest", "TxnResponse">;
  readonly Compact: UnaryHandler<"CompactionRequest", "CompactionResponse">;
}

/** etcd's KV service on the store. */
export function kvService(context: RegistryContext): KvService {
  const { store } = context;
  return {
    Range: unary(context, (request) => {
      const answer = rangeOnce(store, rangeQuery(request));
      return rangeResponse(headerAt(context, answer.revision), answer);
    }),
    Put: unary(context, (request) => {
      const answer = putOnce(store, putQuery(request));
      return putResponse(headerAt(context, answer.revision), answer);
    }),
    DeleteRange: unary(context, (request) => {
      const answer = deleteOnce(store, deleteQuery(request));
      return deleteResponse(headerAt(context, answer.revision), answer);
    }),
    Txn: unary(context, (request) => {
      const answer = runTxn(store, txnQuery(request));
      return txnResponse(headerAt(context, answer.revision), answer);
    }),
    Compact: unary(context, (request) => {
      store.compact(Number(request.revision));
      return { header: headerAt(context, store.revision) };
    }),
  };
}
