import assert from "node:assert/strict";
import { test } from "node:test";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { UnknownResultError } from "../../ports/operation-error.ts";
import { operationErrorOf } from "./etcd-error.ts";

function serviceError(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: new Metadata() });
}

/** What a failed transaction means: did it surely not happen, or may it have? */
const cases: readonly [code: status, details: string, expected: string, mayHaveHappened: boolean][] = [
  [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", "revision-compacted", false],
  [status.NOT_FOUND, "etcdserver: requested lease not found", "lease-not-found", false],
  [status.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request", "registry-refused", false],
  [status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", "registry-full", false],
  [status.RESOURCE_EXHAUSTED, "etcdserver: too many requests", "registry-busy", false],
  [status.RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded", "registry-unreachable", true],
  [status.UNAVAILABLE, "etcdserver: no leader", "registry-no-leader", false],
  [status.UNAVAILABLE, "etcdserver: request timed out", "registry-unreachable", true],
  [status.UNAVAILABLE, "etcdserver: leader changed", "registry-unreachable", true],
  [status.UNAVAILABLE, "No connection established. Last error: ECONNREFUSED", "registry-unreachable", false],
  [status.UNAVAILABLE, "Channel closed before call started", "registry-unreachable", false],
  [status.UNAVAILABLE, "Connection dropped", "registry-unreachable", true],
  [status.UNAVAILABLE, "read ECONNRESET", "registry-unreachable", true],
  [status.DEADLINE_EXCEEDED, "Deadline exceeded after 5s", "registry-timeout", true],
  [status.CANCELLED, "Call cancelled", "registry-unreachable", true],
  [status.INTERNAL, "Received RST_STREAM with code 2", "registry-unreachable", true],
  [status.UNAUTHENTICATED, "etcdserver: invalid auth token", "registry-denied", false],
  [status.PERMISSION_DENIED, "fleet: forbidden-key: machine a may not write /x/no leader", "forbidden-key", false],
  [status.UNAUTHENTICATED, "fleet: not-listed: its key is in no manifest", "not-listed", false],
  [status.UNAVAILABLE, "fleet: registry-away: write on etcd://h1", "registry-unreachable", false],
];
for (const [code, details, expected, mayHaveHappened] of cases) {
  test(`a transaction that met "${details}" ${mayHaveHappened ? "may have" : "surely has not"} happened`, () => {
    const cause = serviceError(code, details);
    const error = operationErrorOf(cause, "write on etcd://h1", true);
    assert.equal(error.code, expected);
    assert.equal(error instanceof UnknownResultError, mayHaveHappened);
    assert.ok(error.message.startsWith(`write on etcd://h1: ${details}`));
    assert.equal(error.cause, cause);
    assert.equal(operationErrorOf(cause, "list", false) instanceof UnknownResultError, false);
  });
}

test("a mistake of ours is not dressed up as the world's", () => {
  const mistake = new TypeError("undefined is not a function");
  assert.throws(() => operationErrorOf(mistake, "list", false), mistake);
});
