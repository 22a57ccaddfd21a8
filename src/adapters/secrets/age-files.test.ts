import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import test from "node:test";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { type NodeKey, parseNodeKey } from "../../domain/identity/node-key.ts";
import { readSecretHeader, SECRET_BYTES_MAX } from "../../domain/secret/secret-header.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { decryptSecret, encryptSecret, newSecretVersion, type SecretIdentity } from "./age-files.ts";

/** A key made by `ssh-keygen` for this test and used nowhere else. */
const KEY = parseNodeKey("ed25519:doxFpBYF4N0n__-r8-BRpNYmAKbIYpiU_yd0F4D3Jus")!;
const SEED = "0c1sqDZbFpFB4y1rPiDRglDfsPiKWea0oz901j04_qw";
/** `echo hello | age -a -r "ssh-ed25519 AAAA…"`, age 1.1.1. */
const BY_AGE = `-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNzaC1lZDI1NTE5IEZNNjBmZyBiUTM5
Yk5uWHgzeDFqdWpwei9mQVZPUW9TdUFXT1JrUjZsUEtORWR5TDE0CmFrM1kwZUJ0
VjlGQkNjNlNqM2NMeStvZVBMNlNJMDdRSkhmbTFBWGpWZG8KLS0tIE5xS1JobDcw
UjBTdzVLb0pFeEh1Y3JZaHVadU56OXcra0g0MXpLZGJ3Q0UKMkHidmKfe3tdW+Ld
79RlX3MD90dpuMK/+KqnP4/5IR73KW1M950=
-----END AGE ENCRYPTED FILE-----
`;
const OF_KEY: SecretIdentity = {
  machine: createPrivateKey({
    key: { kty: "OKP", crv: "Ed25519", d: SEED, x: KEY.slice("ed25519:".length) },
    format: "jwk",
  }),
  key: KEY,
};

test("what age encrypted to a machine's key is read by that key", async () => {
  assert.equal(textOf(await decryptSecret(BY_AGE, [OF_KEY])), "hello\n");
});

test("a file is read by each of its machines and people, and by nobody else", async () => {
  const [one, two, stranger] = [machine(), machine(), machine()];
  const person = await generateIdentity();
  const recipients = { machines: [one.key, two.key], people: [await identityToRecipient(person)] };
  const text = await encryptSecret(Buffer.from("value\0\xff", "latin1"), recipients, "v1");
  for (const identity of [one, two, { person }]) {
    assert.deepEqual(Buffer.from(await decryptSecret(text, [identity])), Buffer.from("value\0\xff", "latin1"));
  }
  await assert.rejects(decryptSecret(text, [stranger]), isError("secret-unreadable"));
  await assert.rejects(decryptSecret(text, [{ person: await generateIdentity() }]), isError("secret-unreadable"));
});

test("its header says for whom it is and which version it has, and nothing of the value", async () => {
  const [one, two] = [machine(), machine()];
  const version = newSecretVersion();
  const text = await encryptSecret(Buffer.from("canary"), { machines: [two.key, one.key], people: [] }, version);
  const read = readSecretHeader(text);
  assert.ok("header" in read);
  assert.equal(read.header.tags.length, 2);
  assert.equal(read.header.version, version);
  assert.ok(!Buffer.from(text.split("\n").slice(1, -2).join(""), "base64").includes("canary"));
});

test("a header that was changed is refused, also by those who can read the file", async () => {
  const one = machine();
  const text = await encryptSecret(Buffer.from("value"), { machines: [one.key], people: [] }, "version-1");
  const binary = Buffer.from(text.split("\n").slice(1, -2).join(""), "base64").toString("latin1");
  const restated = Buffer.from(binary.replace("version-1", "version-2"), "latin1").toString("base64");
  const lines = restated.match(/.{1,64}/g)!.join("\n");
  const changed = `-----BEGIN AGE ENCRYPTED FILE-----\n${lines}\n-----END AGE ENCRYPTED FILE-----\n`;
  await assert.rejects(decryptSecret(changed, [one]), isError("secret-unreadable"));
});

test("what cannot be encrypted is refused by its reason", async () => {
  const to = { machines: [machine().key], people: [] };
  const refused: readonly [string, Promise<unknown>, string][] = [
    ["nobody to read it", encryptSecret(Buffer.from("x"), { machines: [], people: [] }, "v"), "no-recipients"],
    [
      "a value of more than the limit",
      encryptSecret(new Uint8Array(SECRET_BYTES_MAX + 1), to, "v"),
      "secret-too-large",
    ],
    [
      "a recipient that is none",
      encryptSecret(Buffer.from("x"), { ...to, people: ["age1nobody"] }, "v"),
      "bad-recipient",
    ],
    ["an identity that is none", decryptSecret(BY_AGE, [{ person: "AGE-SECRET-KEY-1NO" }]), "bad-identity"],
    ["a file that is none", decryptSecret("nothing", [OF_KEY]), "secret-unreadable"],
  ];
  for (const [what, attempt, code] of refused) await assert.rejects(attempt, isError(code), what);
});

test("what is thrown for a file that cannot be read holds nothing of it", async () => {
  const [one, two] = [machine(), machine()];
  const text = await encryptSecret(Buffer.from("canary-value"), { machines: [one.key], people: [] }, "v");
  const error = await decryptSecret(text, [two]).then(
    () => null,
    (reason: Error) => reason,
  );
  assert.ok(error instanceof OperationError);
  assert.equal(error.cause, undefined);
  assert.doesNotMatch(`${error.message} ${error.stack}`, /canary-value/);
});

function machine(): { readonly machine: KeyObject; readonly key: NodeKey } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { machine: privateKey, key: parseNodeKey(`ed25519:${publicKey.export({ format: "jwk" }).x}`)! };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function isError(code: string) {
  return (error: unknown) => error instanceof OperationError && error.code === code;
}
