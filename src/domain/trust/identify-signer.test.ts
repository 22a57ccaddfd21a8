import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitSignature } from "./commit-signature.ts";
import { identifySigner, isKnown } from "./identify-signer.ts";
import { NO_TRUST, type Signer, type Trust } from "./trust-policy.ts";

const DAY = 86_400_000;
const by = (key: string): CommitSignature => ({ kind: "ssh", key: { text: key, fingerprint: `SHA256:${key}` } });
const line = (key: string, principals: string, more: Partial<Signer> = {}): Signer => ({
  principals: principals.split(","),
  key,
  namespaces: null,
  validAfterMs: null,
  validBeforeMs: null,
  ...more,
});
const trusting = (...signers: Signer[]): Trust => ({ ...NO_TRUST, mode: "range", signers });
const answer = (signature: CommitSignature, trust: Trust, atMs = 5 * DAY) => {
  const signer = identifySigner(signature, trust, atMs);
  return isKnown(signer) ? signer.principals.join(",") : "because" in signer ? signer.because : signer.code;
};

test("who signed is told by the lines of the key", () => {
  const trust = trusting(line("k1", "bob,ops"), line("k2", "alice"), line("k1", "bob@home"));
  assert.equal(answer(by("k2"), trust), "alice");
  assert.equal(answer(by("k1"), trust), "bob,bob@home,ops");
  assert.equal(answer(by("k3"), trust), "unknown-signer");
  assert.equal(answer({ kind: "none" }, trust), "unsigned");
  assert.equal(answer({ kind: "bad", flaw: "wrong" }, trust), "bad-signature");
});

test("a forge's key counts only where the manifest opts in", () => {
  const forge: CommitSignature = { kind: "forge", forge: "github-web-flow" };
  assert.equal(answer(forge, trusting()), "forge-not-allowed");
  assert.equal(answer(forge, { ...trusting(), forgeKeys: ["github-web-flow"] }), "github-web-flow");
});

test("a line holds for its namespaces and its time, from the first moment to the last", () => {
  const table: readonly (readonly [string, Partial<Signer>, string])[] = [
    ["another namespace", { namespaces: ["file"] }, "not-for-git"],
    ["git among others", { namespaces: ["file", "git"] }, "alice"],
    ["a pattern of namespaces", { namespaces: ["g*"] }, "alice"],
    ["just begun", { validAfterMs: 5 * DAY }, "alice"],
    ["not yet begun", { validAfterMs: 5 * DAY + 1 }, "too-early"],
    ["just ended", { validBeforeMs: 5 * DAY - 1 }, "too-late"],
    ["about to end", { validBeforeMs: 5 * DAY }, "alice"],
  ];
  for (const [what, more, expected] of table)
    assert.equal(answer(by("k"), trusting(line("k", "alice", more))), expected, what);
});

test("where one line of a key has ended, another may hold", () => {
  const trust = trusting(line("k", "alice,ops", { validBeforeMs: DAY }), line("k", "alice"));
  assert.equal(answer(by("k"), trust), "alice");
});
