import assert from "node:assert/strict";
import { test } from "node:test";
import { sshSigner } from "../../../test/ssh-signer.ts";
import { addSigner } from "./add-signer.ts";
import { readAllowedSigners } from "./allowed-signers.ts";

const KEY = sshSigner("ada").line.slice("ada ".length);
const OTHER = sshSigner("bob").line.slice("bob ".length);

test("a line for the key comes behind what is there, and can be read", () => {
  const text = addSigner(`# people\nbob ${OTHER}`, "ada@example.org", `${KEY} ada's laptop\n`);
  assert.equal(text, `# people\nbob ${OTHER}\nada@example.org namespaces="git" ${KEY}\n`);
  assert.deepEqual(readAllowedSigners("x", Buffer.from(text ?? "")).diagnostics, []);
});

test("a key that is listed is not listed again, and what is no key is none", () => {
  const text = `somebody ${KEY}\n`;
  assert.equal(addSigner(text, "ada@example.org", KEY), text);
  assert.equal(addSigner("", "ada@example.org", "ssh-ed25519 AAAA"), null);
  assert.equal(addSigner("", "ada@example.org", ""), null);
});
