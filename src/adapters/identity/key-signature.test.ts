import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { isSignedBy, signatureOf } from "./key-signature.ts";
import { NodeIdentity } from "./node-identity.ts";

test("a signature is of one key and of one text", () => {
  const [one, other] = [0, 1].map(() => new NodeIdentity(generateKeyPairSync("ed25519").privateKey));
  const signature = signatureOf(one!, Buffer.from("ask"));
  assert.equal(signature.length, 64);
  assert.equal(isSignedBy(one!.key, Buffer.from("ask"), signature), true);
  assert.equal(isSignedBy(other!.key, Buffer.from("ask"), signature), false);
  assert.equal(isSignedBy(one!.key, Buffer.from("asks"), signature), false);
  assert.equal(isSignedBy(one!.key, Buffer.from("ask"), signature.subarray(1)), false);
});
