import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeRangeResponse, decodeTxnResponse } from "./decode-listing.ts";
import { decodeEtcd, encodeEtcd } from "./etcd-proto.ts";

const RUNS = { numRuns: 200, seed: 20_261_121 };
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const small = fc.integer({ min: 0, max: 300 }).map(String);
const number = fc.oneof(small, int64);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const header = fc.record({ cluster_id: uint64, member_id: uint64, revision: number, raft_term: uint64 });
const kv = fc.record(
  { key: bytes, create_revision: number, mod_revision: number, version: number, value: bytes, lease: number },
  { requiredKeys: [] },
);
const range = fc.record(
  { header, kvs: fc.array(kv, { maxLength: 5 }), more: fc.boolean(), count: number },
  { requiredKeys: [] },
);

test("a listing is read as protobufjs reads it", () => {
  fc.assert(
    fc.property(range, (message) => {
      const wire = encodeEtcd("RangeResponse", message);
      assert.deepEqual(decodeRangeResponse(wire), decodeEtcd("RangeResponse", wire));
    }),
    RUNS,
  );
});

test("a transaction of listings is read as protobufjs reads it, and any other is left to it", () => {
  const op = fc.oneof(
    { weight: 5, arbitrary: range.map((response_range) => ({ response_range })) },
    fc.constantFrom({ response_put: {} }, { response_txn: {} }, {}),
  );
  const txn = fc.record({ header, succeeded: fc.boolean(), responses: fc.array(op, { maxLength: 3 }) });
  fc.assert(
    fc.property(txn, (message) => {
      const wire = encodeEtcd("TxnResponse", message);
      const read = decodeTxnResponse(wire);
      const isListing = message.responses.every((one) => "response_range" in one);
      assert.equal(read !== null, isListing);
      if (read !== null) assert.deepEqual(read, decodeEtcd("TxnResponse", wire));
    }),
    RUNS,
  );
});

test("fields of a newer etcd are passed over", () => {
  // Field 9 as a number, 10 as 64 bits, 11 as bytes, 12 as 32 bits; then `more`.
  const wire = Buffer.from("4801510102030405060708" + "5a0161" + "6501020304" + "1801", "hex");
  assert.deepEqual(decodeRangeResponse(wire), { header: null, kvs: [], more: true, count: "0" });
});

test("bytes that are no such message are refused, wherever they are cut", () => {
  const wire = encodeEtcd("RangeResponse", { kvs: [{ key: Buffer.from("key"), version: "300" }], count: "300" });
  const refused: number[] = [];
  for (let length = 1; length < wire.length; length++) {
    try {
      decodeRangeResponse(wire.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof RangeError);
      refused.push(length);
    }
  }
  // Only between two fields there is nothing to see.
  assert.equal(refused.length, wire.length - 2);
  for (const hex of ["0b", "1f", "12ffffffffffff", "20ffffffffffffffffffffff01", "0a81"])
    assert.throws(() => decodeRangeResponse(Buffer.from(hex, "hex")), RangeError, hex);
});
