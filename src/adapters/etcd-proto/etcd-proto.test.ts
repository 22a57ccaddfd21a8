import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeEtcd, encodeEtcd } from "./etcd-proto.ts";

test("numbers beyond 2^53 keep every digit", () => {
  const bytes = encodeEtcd("LeaseGrantRequest", { TTL: "5", ID: "1234567890123456789" });
  assert.deepEqual(decodeEtcd("LeaseGrantRequest", bytes), { TTL: "5", ID: "1234567890123456789" });
  const header = { cluster_id: "18446744073709551615", member_id: "0", revision: "-1", raft_term: "2" };
  assert.deepEqual(decodeEtcd("PutResponse", encodeEtcd("PutResponse", { header })).header, header);
});

test("a key's bytes are those given, whatever they are", () => {
  const key = Buffer.from([0, 0xff, 0x80, 0x41]);
  assert.deepEqual(decodeEtcd("PutRequest", encodeEtcd("PutRequest", { key })).key, key);
});

test("the wire is etcd's: a put of a=b is these bytes", () => {
  const bytes = encodeEtcd("PutRequest", { key: Buffer.from("a"), value: Buffer.from("b"), lease: "300" });
  assert.equal(bytes.toString("hex"), "0a016112016218ac02");
});

test("an oneof names its member and leaves the others out", () => {
  const sent = {
    compare: [{ key: Buffer.from("k"), target: 1, create_revision: "0" }],
    success: [{ request_range: {} }],
  };
  const { compare, success, failure } = decodeEtcd("TxnRequest", encodeEtcd("TxnRequest", sent));
  assert.equal(compare[0]!.target_union, "create_revision");
  assert.equal(compare[0]!.create_revision, "0");
  assert.equal(compare[0]!.value, undefined);
  assert.equal(success[0]!.request, "request_range");
  assert.deepEqual(failure, []);
});
