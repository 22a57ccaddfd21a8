import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeRangeResponse, encodeTxnResponse } from "./encode-listing.ts";
import { encodeEtcd } from "./etcd-proto.ts";

const RUNS = { numRuns: 200, seed: 20_261_122 };
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
const edges = fc.constantFrom("0", "127", "128", "999999999999999", "1000000000000000", "9007199254740993", "-1");
const number = fc.oneof(edges, fc.integer({ min: 0, max: 70_000 }).map(String), int64);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const header = fc.record(
  { cluster_id: uint64, member_id: uint64, revision: number, raft_term: uint64 },
  { requiredKeys: [] },
);
const kv = fc.record(
  { key: bytes, create_revision: number, mod_revision: number, version: number, value: bytes, lease: number },
  { requiredKeys: [] },
);
const range = fc.record(
  { header, kvs: fc.array(kv, { maxLength: 5 }), more: fc.boolean(), count: number },
  { requiredKeys: [] },
);

test("a listing is written as protobufjs writes it", () => {
  fc.assert(
    fc.property(range, (message) => {
      assert.deepEqual(encodeRangeResponse(message), encodeEtcd("RangeResponse", message));
    }),
    RUNS,
  );
});

test("a transaction of listings is written as protobufjs writes it, and any other is left to it", () => {
  const listing = range.map((response_range) => ({ response_range }));
  const op = fc.oneof({ weight: 5, arbitrary: listing }, fc.constantFrom({ response_put: {} }, {}));
  const fields = { header, succeeded: fc.boolean(), responses: fc.array(op, { maxLength: 3 }) };
  fc.assert(
    fc.property(fc.record(fields, { requiredKeys: [] }), (message) => {
      const written = encodeTxnResponse(message);
      const isListing = (message.responses ?? []).every((one) => "response_range" in one);
      assert.equal(written !== null, isListing);
      if (written !== null) assert.deepEqual(written, encodeEtcd("TxnResponse", message));
    }),
    RUNS,
  );
});
