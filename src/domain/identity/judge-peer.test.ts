import assert from "node:assert/strict";
import { test } from "node:test";
import { type MachineId, parseMachineId } from "../names.ts";
import { type ExpectedPeer, judgePeer, type PeerFacts, type PeerRefusal } from "./judge-peer.ts";
import { type NodeKey, parseNodeKey } from "./node-key.ts";

const key = (letter: string): NodeKey => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const nas: MachineId = parseMachineId("a".repeat(32))!;
const pi: MachineId = parseMachineId("b".repeat(32))!;

const expected: ExpectedPeer = {
  clusterId: "c1",
  role: "machine",
  keys: new Map([
    [key("n"), nas],
    [key("p"), pi],
  ]),
  nowMs: 1000,
};
const facts: PeerFacts = {
  key: key("n"),
  notBeforeMs: 0,
  notAfterMs: 2000,
  uri: { clusterId: "c1", role: "machine", machine: nas },
};
const claim = facts.uri!;

const refusals: readonly (readonly [what: string, facts: PeerFacts | null, code: PeerRefusal])[] = [
  ["no certificate", null, "no-certificate"],
  ["a key of another kind", { ...facts, key: null }, "malformed"],
  ["no name", { ...facts, uri: null }, "malformed"],
  ["another cluster", { ...facts, uri: { ...claim, clusterId: "c2" } }, "other-cluster"],
  ["no cluster yet", { ...facts, uri: { ...claim, clusterId: null } }, "other-cluster"],
  ["an engine that dials as one", { ...facts, uri: { ...claim, role: "engine" } }, "wrong-role"],
  ["a certificate from tomorrow", { ...facts, notBeforeMs: 1001 }, "not-yet-valid"],
  ["one that ended", { ...facts, notAfterMs: 999 }, "expired"],
  ["dates that are none", { ...facts, notAfterMs: Number.NaN }, "expired"],
  ["a beginning that is none", { ...facts, notBeforeMs: Number.NaN }, "not-yet-valid"],
  ["a machine with a key it is not listed with", { ...facts, key: key("x") }, "wrong-key"],
  ["a listed machine that says it is another one", { ...facts, uri: { ...claim, machine: pi } }, "wrong-key"],
  [
    "a key nobody listed, of a machine nobody listed",
    { ...facts, key: key("x"), uri: { ...claim, machine: parseMachineId("c".repeat(32))! } },
    "unlisted-key",
  ],
  [
    "a listed key under the name of a machine nobody listed",
    { ...facts, uri: { ...claim, machine: parseMachineId("c".repeat(32))! } },
    "wrong-key",
  ],
];

for (const [what, shown, code] of refusals) {
  test(`${what} is refused: ${code}`, () => {
    assert.deepEqual(judgePeer(shown, expected), { verdict: "refused", code });
  });
}

test("a listed key with its own name is accepted, to the last millisecond of its dates", () => {
  for (const nowMs of [0, 1000, 2000]) {
    assert.deepEqual(judgePeer(facts, { ...expected, nowMs }), { verdict: "accepted", role: "machine", machine: nas });
  }
});

test("unlisted and wrong keys say that nothing else is wrong: any other fault is named first", () => {
  const stranger = { ...facts, key: key("x"), uri: { ...claim, machine: parseMachineId("c".repeat(32))! } };
  for (const [worse, code] of [
    [{ ...stranger, notAfterMs: 1 }, "expired"],
    [{ ...stranger, uri: { ...stranger.uri, role: "engine" } }, "wrong-role"],
    [{ ...stranger, uri: { ...stranger.uri, clusterId: "c2" } }, "other-cluster"],
  ] as const) {
    assert.deepEqual(judgePeer(worse, expected), { verdict: "refused", code });
  }
});

test("who knows no cluster yet takes any, and still nobody that is not listed", () => {
  const joining = { ...expected, clusterId: null };
  assert.equal(judgePeer({ ...facts, uri: { ...claim, clusterId: "c9" } }, joining).verdict, "accepted");
  assert.deepEqual(judgePeer({ ...facts, key: key("x") }, joining), { verdict: "refused", code: "wrong-key" });
});
