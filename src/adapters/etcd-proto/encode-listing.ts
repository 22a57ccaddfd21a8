import type { KeyValue, Outgoing, RangeResponse, ResponseHeader, ResponseOp, TxnResponse } from "./etcd-messages.ts";
import { sizeOfBytes, sizeOfInt64, WireWriter } from "./write-wire.ts";

/** The same bytes as protobufjs makes of it. */
export function encodeRangeResponse(response: Outgoing<RangeResponse>): Buffer {
  const sizes = sizesOf(response);
  const writer = new WireWriter(sizes.whole);
  writeRange(writer, response, sizes);
  return writer.finish();
}

/** Null where it answers anything but listings: such ones are small, and protobufjs writes them. */
export function encodeTxnResponse({ header, succeeded, responses = [] }: Outgoing<TxnResponse>): Buffer | null {
  if (!responses.every(isListing)) return null;
  const listings = responses.map(({ response_range }) => ({ range: response_range!, sizes: sizesOf(response_range!) }));
  const inner = listings.map(({ sizes }) => sizeOfBytes(sizes.whole));
  const headerSize = header == null ? 0 : sizeOfBytes(sizeOfHeader(header));
  const writer = new WireWriter(headerSize + 2 + inner.reduce((sum, size) => sum + sizeOfBytes(size), 0));
  if (header != null) writeHeader(writer, header);
  if (succeeded !== undefined) writer.boolean(2, succeeded);
  for (const [index, { range, sizes }] of listings.entries()) {
    writer.begin(3, inner[index]!);
    writer.begin(1, sizes.whole);
    writeRange(writer, range, sizes);
  }
  return writer.finish();
}

function isListing({
  response_range,
  response_put,
  response_delete_range,
  response_txn,
}: Outgoing<ResponseOp>): boolean {
  return response_range != null && [response_put, response_delete_range, response_txn].every((other) => other == null);
}

/** Lengths stand before what they are of. */
interface Sizes {
  readonly whole: number;
  readonly kvs: readonly number[];
}

function sizesOf({ header, kvs = [], more, count }: Outgoing<RangeResponse>): Sizes {
  const each = kvs.map(sizeOfKeyValue);
  const whole =
    (header == null ? 0 : sizeOfBytes(sizeOfHeader(header))) +
    each.reduce((sum, size) => sum + sizeOfBytes(size), 0) +
    (more === undefined ? 0 : 2) +
    (count === undefined ? 0 : sizeOfInt64(count));
  return { whole, kvs: each };
}

function writeRange(
  writer: WireWriter,
  { header, kvs = [], more, count }: Outgoing<RangeResponse>,
  sizes: Sizes,
): void {
  if (header != null) writeHeader(writer, header);
  for (const [index, kv] of kvs.entries()) {
    writer.begin(2, sizes.kvs[index]!);
    if (kv.key !== undefined) writer.bytes(1, kv.key);
    for (const [field, name] of KEY_VALUE_NUMBERS) if (kv[name] !== undefined) writer.int64(field, kv[name]);
    if (kv.value !== undefined) writer.bytes(5, kv.value);
    if (kv.lease !== undefined) writer.int64(6, kv.lease);
  }
  if (more !== undefined) writer.boolean(3, more);
  if (count !== undefined) writer.int64(4, count);
}

const KEY_VALUE_NUMBERS = [
  [2, "create_revision"],
  [3, "mod_revision"],
  [4, "version"],
] as const;

function sizeOfKeyValue({ key, create_revision, mod_revision, version, value, lease }: Outgoing<KeyValue>): number {
  return (
    (key === undefined ? 0 : sizeOfBytes(key.length)) +
    (create_revision === undefined ? 0 : sizeOfInt64(create_revision)) +
    (mod_revision === undefined ? 0 : sizeOfInt64(mod_revision)) +
    (version === undefined ? 0 : sizeOfInt64(version)) +
    (value === undefined ? 0 : sizeOfBytes(value.length)) +
    (lease === undefined ? 0 : sizeOfInt64(lease))
  );
}

const HEADER_NUMBERS = [
  [1, "cluster_id"],
  [2, "member_id"],
  [3, "revision"],
  [4, "raft_term"],
] as const;

function sizeOfHeader(header: Outgoing<ResponseHeader>): number {
  return HEADER_NUMBERS.reduce(
    (sum, [, name]) => sum + (header[name] === undefined ? 0 : sizeOfInt64(header[name])),
    0,
  );
}

function writeHeader(writer: WireWriter, header: Outgoing<ResponseHeader>): void {
  writer.begin(1, sizeOfHeader(header));
  for (const [field, name] of HEADER_NUMBERS) if (header[name] !== undefined) writer.int64(field, header[name]);
}
