import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNodeKey } from "../identity/node-key.ts";
import { parseMachineId } from "../names.ts";
import { machineKeys } from "./machine-keys.ts";

const [K, L] = ["k", "l"].map((letter) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!) as [never, never];
const [A, B] = ["a", "b"].map((digit) => parseMachineId(digit.repeat(32))!) as [never, never];

const cases = [
  ["git's key is the machine's", [{ name: "a", machine: A, key: K }], [], [[K, A]]],
  ["a token's is, where git says nothing", [], [{ machine: A, key: K }], [[K, A]]],
  [
    "where git lists the machine without a key, too",
    [{ name: "a", machine: A, key: null }],
    [{ machine: A, key: K }],
    [[K, A]],
  ],
  [
    "git's word counts as soon as it has a key",
    [{ name: "a", machine: A, key: L }],
    [{ machine: A, key: K }],
    [[L, A]],
  ],
  ["a key git gives to somebody is his", [{ name: "b", machine: B, key: K }], [{ machine: A, key: K }], [[K, B]]],
  ["a stanza without an id lets nobody in", [{ name: "a", machine: null, key: K }], [], []],
] as const;

for (const [what, listed, admitted, keys] of cases) {
  test(what, () => assert.deepEqual([...machineKeys(listed, admitted)], keys));
}
