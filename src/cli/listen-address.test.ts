import assert from "node:assert/strict";
import { test } from "node:test";
import { OperationError } from "../ports/operation-error.ts";
import { listenAddress } from "./listen-address.ts";

const understood: readonly [text: string, host: string, port: number][] = [
  ["0.0.0.0:7440", "0.0.0.0", 7440],
  ["nas.lan", "nas.lan", 7440],
  ["nas.lan:8000", "nas.lan", 8000],
  ["[::]:7440", "::", 7440],
  ["[fe80::1]", "fe80::1", 7440],
  [":7441", "::", 7441],
];
for (const [text, host, port] of understood) {
  test(`an engine listens on ${text}`, () => assert.deepEqual(listenAddress(text), { host, port }));
}

for (const text of ["", "nas:0", "nas:70000", "::1:7440", "http://nas:7440", "nas:7440/x", "a b"]) {
  test(`"${text}" is refused`, () => {
    assert.throws(
      () => listenAddress(text),
      (error) => error instanceof OperationError && error.code === "bad-address" && error.next !== undefined,
    );
  });
}
