import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitSignature } from "../trust/commit-signature.ts";
import { NO_TRUST, type Trust, type TrustRule } from "../trust/trust-policy.ts";
import { type Approvable, type Approval, approvalRef, approvalText, judgeApproval } from "./judge-approval.ts";

const key = { text: "ssh-ed25519 AAAA", fingerprint: "SHA256:ada" };
const other = { text: "ssh-ed25519 BBBB", fingerprint: "SHA256:eve" };
const TRUST: Trust = {
  mode: "range",
  signers: [
    { principals: ["ada@example.org"], key: key.text, namespaces: null, validAfterMs: null, validBeforeMs: 2_000 },
  ],
  forgeKeys: [],
  rules: [],
};
const wanted: Approvable = { contentId: "content", clusterId: "cluster", stopsMany: false, rules: [] };
const signed = (by: typeof key): CommitSignature => ({ kind: "ssh", key: by });
const approval = (said: Partial<Approval> = {}): Approval => ({
  ...{ contentId: "content", clusterId: "cluster", allowsDeletes: false },
  signature: signed(key),
  atMs: 1_000,
  ...said,
});

const CASES: readonly (readonly [says: string, approval: Approval | null, trust: Trust, is: string])[] = [
  ["somebody who may sign approves", approval(), TRUST, "approved"],
  ["what cannot be read is no approval", null, TRUST, "malformed"],
  ["one of another content is none of this", approval({ contentId: "other" }), TRUST, "of-another"],
  ["nor one of another cluster, also where nobody must sign", approval({ clusterId: "other" }), NO_TRUST, "of-another"],
  ["unsigned is not enough where somebody is named", approval({ signature: { kind: "none" } }), TRUST, "unsigned"],
  ["nor is another key", approval({ signature: signed(other) }), TRUST, "unknown-signer"],
  ["nor a line that is over", approval({ atMs: 3_000 }), TRUST, "signer-not-valid"],
  [
    "nor a signature that does not fit",
    approval({ signature: { kind: "bad", flaw: "wrong" } }),
    TRUST,
    "bad-signature",
  ],
  [
    "nor a forge that is not opted in",
    approval({ signature: { kind: "forge", forge: "github-web-flow" } }),
    TRUST,
    "forge-not-allowed",
  ],
  ["unsigned counts where nobody is named", approval({ signature: { kind: "none" } }), NO_TRUST, "approved"],
];

for (const [says, given, trust, is] of CASES) {
  test(says, () => {
    const verdict = judgeApproval([given], wanted, trust);
    assert.equal(verdict.kind === "approved" ? "approved" : verdict.reason.code, is);
  });
}

test("who approved is told by name", () => {
  assert.deepEqual(judgeApproval([approval()], wanted, TRUST), { kind: "approved", by: ["ada@example.org"] });
});

test("a mass of stops is approved by those who say so, and by nobody else", () => {
  const mass = { ...wanted, stopsMany: true };
  const codeOf = (approvals: readonly Approval[], trust = TRUST) => {
    const verdict = judgeApproval(approvals, mass, trust);
    return verdict.kind === "approved" ? "approved" : verdict.reason.code;
  };
  assert.equal(codeOf([approval()]), "deletes-unsaid");
  assert.equal(codeOf([approval()], NO_TRUST), "deletes-unsaid", "also where nobody must sign");
  assert.equal(codeOf([approval({ allowsDeletes: true })]), "approved");
  assert.equal(codeOf([approval(), approval({ allowsDeletes: true })]), "approved");
});

test("the rules of the files that change say who must approve, and how many", () => {
  const line = (name: string, ...groups: string[]) => ({
    ...{ principals: [name, ...groups], key: `ssh-ed25519 ${name}` },
    ...{ namespaces: null, validAfterMs: null, validBeforeMs: null },
  });
  const of = (name: string): Approval =>
    approval({ signature: signed({ text: `ssh-ed25519 ${name}`, fingerprint: name }) });
  const rule = (count: number, ...signers: string[]): TrustRule => ({
    paths: ["prod"],
    signers,
    count,
    matches: () => true,
  });
  const trust = { ...TRUST, signers: [line("ann", "ops"), line("bob", "ops"), line("cid")] };
  const table: readonly (readonly [what: string, by: readonly string[], rules: readonly TrustRule[], is: string])[] = [
    ["no rule: anybody who may sign", ["cid"], [], "approved"],
    ["a rule of a group: one of them", ["ann"], [rule(1, "ops")], "approved"],
    ["and nobody else", ["cid"], [rule(1, "ops")], "too-few"],
    ["two of them", ["ann", "bob"], [rule(2, "ops")], "approved"],
    ["not one", ["ann"], [rule(2, "ops")], "too-few"],
    ["nor one of them twice", ["ann", "ann"], [rule(2, "ops")], "too-few"],
    ["nor one with somebody else", ["ann", "cid"], [rule(2, "ops")], "too-few"],
    ["nor one with a stranger", ["ann", "eve"], [rule(2)], "too-few"],
    ["every rule counts", ["ann", "bob"], [rule(2, "ops"), rule(1, "cid")], "too-few"],
    ["and each may be met by another", ["ann", "bob", "cid"], [rule(2, "ops"), rule(1, "cid")], "approved"],
  ];
  for (const [what, by, rules, is] of table) {
    const verdict = judgeApproval(by.map(of), { ...wanted, rules }, trust);
    assert.equal(verdict.kind === "approved" ? "approved" : verdict.reason.code, is, what);
  }
});

test("nobody's approval takes the place of another's", () => {
  const refs = [0, 1, 2].map((index) => approvalRef("abc", index));
  assert.deepEqual(
    refs,
    ["abc", "abc.2", "abc.3"].map((name) => `refs/fleet/approvals/${name}`),
  );
});

test("what is signed names the content and the cluster, and nothing else", () => {
  assert.equal(approvalText("abc", "123"), "fleet approve abc\n\ncluster 123\n");
  assert.equal(approvalText("abc", "123", true), "fleet approve abc\n\ncluster 123\nallow-deletes\n");
});
