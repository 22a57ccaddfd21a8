import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitSignature } from "../trust/commit-signature.ts";
import { NO_TRUST, type Trust } from "../trust/trust-policy.ts";
import { type Approval, approvalText, judgeApproval } from "./judge-approval.ts";

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
const wanted = { contentId: "content", clusterId: "cluster" };
const signed = (by: typeof key): CommitSignature => ({ kind: "ssh", key: by });
const approval = (said: Partial<Approval> = {}): Approval => ({
  ...wanted,
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
    const verdict = judgeApproval(given, wanted, trust);
    assert.equal(verdict.kind === "approved" ? "approved" : verdict.reason.code, is);
  });
}

test("who approved is told by name", () => {
  assert.deepEqual(judgeApproval(approval(), wanted, TRUST), { kind: "approved", by: ["ada@example.org"] });
});

test("what is signed names the content and the cluster, and nothing else", () => {
  assert.equal(approvalText("abc", "123"), "fleet approve abc\n\ncluster 123\n");
});
