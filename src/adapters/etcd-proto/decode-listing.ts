import type { KeyValue, RangeResponse, ResponseHeader, ResponseOp, TxnResponse } from "./etcd-messages.ts";
import { WireReader } from "./read-wire.ts";

const NOTHING = Buffer.alloc(0);

/** The same as protobufjs makes of it. Throws a RangeError where the bytes are no such message. */
export function decodeRangeResponse(bytes: Buffer): RangeResponse {
  return rangeResponse(new WireReader(bytes));
}

/** Null where it answers anything but listings: such ones are small, and protobufjs reads them. */
export function decodeTxnResponse(bytes: Buffer): TxnResponse | null {
  const reader = new WireReader(bytes);
  const response: TxnResponse = { header: null, succeeded: false, responses: [] };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) response.header = header(reader.message());
    else if (field === 2) response.succeeded = reader.boolean();
    else if (field === 3) {
      const operation = responseOp(reader.message());
      if (operation === null) return null;
      response.responses.push(operation);
    } else reader.skip();
  }
  return response;
}

function responseOp(reader: WireReader): ResponseOp | null {
  if (reader.next() !== 1) return null;
  const response_range = rangeResponse(reader.message());
  return reader.next() === 0 ? { response_range, response: "response_range" } : null;
}

function rangeResponse(reader: WireReader): RangeResponse {
  const response: RangeResponse = { header: null, kvs: [], more: false, count: "0" };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) response.header = header(reader.message());
    else if (field === 2) response.kvs.push(keyValue(reader.message()));
    else if (field === 3) response.more = reader.boolean();
    else if (field === 4) response.count = reader.int64();
    else reader.skip();
  }
  return response;
}

function keyValue(reader: WireReader): KeyValue {
  const [key, value] = [NOTHING, NOTHING];
  const kv: KeyValue = { key, create_revision: "0", mod_revision: "0", version: "0", value, lease: "0" };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) kv.key = reader.bytes();
    else if (field === 2) kv.create_revision = reader.int64();
    else if (field === 3) kv.mod_revision = reader.int64();
    else if (field === 4) kv.version = reader.int64();
    else if (field === 5) kv.value = reader.bytes();
    else if (field === 6) kv.lease = reader.int64();
    else reader.skip();
  }
  return kv;
}

function header(reader: WireReader): ResponseHeader {
  const found: ResponseHeader = { cluster_id: "0", member_id: "0", revision: "0", raft_term: "0" };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) found.cluster_id = reader.uint64();
    else if (field === 2) found.member_id = reader.uint64();
    else if (field === 3) found.revision = reader.int64();
    else if (field === 4) found.raft_term = reader.uint64();
    else reader.skip();
  }
  return found;
}
