import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerFacts } from "../identity/judge-peer.ts";
import { parseNodeKey } from "../identity/node-key.ts";
import { parseMachineId } from "../names.ts";
import { type EngineKeys, judgeEngine } from "./judge-engine.ts";

const key = (letter: string) => parseNodeKey(`ed25519:${letter.repeat(42)}A`)!;
const machine = (letter: string) => parseMachineId(letter.repeat(32))!;
const engine = (keyLetter: string, machineLetter: string): PeerFacts => ({
  key: key(keyLetter),
  notBeforeMs: 0,
  notAfterMs: 10,
  uri: { clusterId: "c1", role: "engine", machine: machine(machineLetter) },
});

const pinned: EngineKeys = new Map([[key("n"), null]]);
const listed: EngineKeys = new Map([[key("n"), machine("a")]]);
const NOBODY: EngineKeys = new Map();

const cases: readonly (readonly [what: string, keys: EngineKeys, facts: PeerFacts | null, answer: string])[] = [
  ["a pinned key, on whatever machine", pinned, engine("n", "b"), machine("b")],
  ["another key than the pinned one", pinned, engine("x", "b"), "unlisted-key"],
  ["a listed key on its machine", listed, engine("n", "a"), machine("a")],
  ["a listed key on another machine", listed, engine("n", "b"), "wrong-key"],
  ["a listed machine with another key", listed, engine("x", "a"), "wrong-key"],
  ["anybody, where nobody is known", NOBODY, engine("n", "a"), "unlisted-key"],
  ["nobody's certificate", pinned, null, "no-certificate"],
  [
    "a pinned key that says it is an agent's",
    pinned,
    { ...engine("n", "b"), uri: { clusterId: "c1", role: "machine", machine: machine("b") } },
    "wrong-role",
  ],
  ["a pinned key without a name", pinned, { ...engine("n", "b"), uri: null }, "malformed"],
];
for (const [what, keys, facts, answer] of cases) {
  test(`${what}: ${answer}`, () => {
    const verdict = judgeEngine(facts, keys, "c1", 5);
    assert.equal(verdict.verdict === "accepted" ? verdict.machine : verdict.code, answer);
  });
}

test("another cluster's engine is refused once this machine's cluster is known", () => {
  assert.deepEqual(judgeEngine(engine("n", "b"), pinned, "c2", 5), { verdict: "refused", code: "other-cluster" });
  assert.equal(judgeEngine(engine("n", "b"), pinned, null, 5).verdict, "accepted");
});
