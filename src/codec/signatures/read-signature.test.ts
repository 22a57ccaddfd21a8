import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { FORGE_COMMIT, OPENPGP_COMMIT, SIGNED_COMMITS, SIGNER_LINES } from "../../../test/signed-samples.ts";
import { armoredSshSignature, publicPoint, sshSigned, sshSigner, withSignature } from "../../../test/ssh-signer.ts";
import type { CommitSignature } from "../../domain/trust/commit-signature.ts";
import { GITHUB_WEB_FLOW } from "./forge-keys.ts";
import { readSignature } from "./read-signature.ts";
import { cutCommit } from "./signed-commit.ts";
import { wireString } from "./wire.ts";

const GOOD = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa2048"] as const;
const UNSIGNED = `tree ${"4b".repeat(20)}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\ntext\n`;

function signatureOf(raw: string | Uint8Array): CommitSignature | "not a commit" {
  const cut = cutCommit(typeof raw === "string" ? Buffer.from(raw, "latin1") : raw);
  return cut === null ? "not a commit" : readSignature(cut);
}

function flawOf(raw: string): string {
  const signature = signatureOf(raw);
  return typeof signature === "string" || signature.kind !== "bad" ? JSON.stringify(signature) : signature.flaw;
}

for (const kind of GOOD) {
  test(`what git and OpenSSH signed with ${kind} is good, and by that key`, () => {
    const signature = signatureOf(SIGNED_COMMITS[kind]);
    assert.ok(typeof signature !== "string" && signature.kind === "ssh", JSON.stringify(signature));
    assert.equal(`${kind}@example.org ${signature.key.text}`, SIGNER_LINES[kind]);
    assert.match(signature.key.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test(`with any one bit of it changed, a commit signed with ${kind} is not signed any more`, () => {
    const raw = Buffer.from(SIGNED_COMMITS[kind], "latin1");
    for (let at = 0; at < raw.length; at++) {
      const changed = Buffer.from(raw);
      // Each place once with each third bit: all of them, over the five kinds of keys, at a fifth of the time.
      changed[at] = changed[at]! ^ (1 << ((at * 3 + GOOD.indexOf(kind)) % 8));
      const signature = signatureOf(changed);
      const isGood = typeof signature !== "string" && (signature.kind === "ssh" || signature.kind === "forge");
      assert.ok(!isGood, `byte ${at}`);
    }
  });
}

test("what GitHub signed is by GitHub, and with any one bit changed it is not", () => {
  assert.deepEqual(signatureOf(FORGE_COMMIT), { kind: "forge", forge: "github-web-flow" });
  const raw = Buffer.from(FORGE_COMMIT, "latin1");
  for (let at = 0; at < raw.length; at++) {
    const changed = Buffer.from(raw);
    changed[at] = changed[at]! ^ (1 << (at % 8));
    assert.notDeepEqual(signatureOf(changed), { kind: "forge", forge: "github-web-flow" }, `byte ${at}`);
  }
});

test("a signature of GitHub's with other numbers does not fit, though its armor is whole", () => {
  const lines = FORGE_COMMIT.split("\n ");
  const [first, last] = [
    lines.findIndex((line) => line.startsWith("wsF")),
    lines.findIndex((line) => /^=....$/.test(line)),
  ];
  const packet = Buffer.from(lines.slice(first, last).join(""), "base64");
  const armored = (bytes: Buffer) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc24(bytes));
    const text = bytes.toString("base64").match(/.{1,64}/g)!;
    return [...lines.slice(0, first), ...text, `=${sum.subarray(1).toString("base64")}`, ...lines.slice(last + 1)].join(
      "\n ",
    );
  };
  assert.equal(armored(packet), FORGE_COMMIT, "the same bytes are put together to the same commit");
  for (const at of [40, 100, packet.length - 1]) {
    const changed = Buffer.from(packet);
    changed[at] = changed[at]! ^ 4;
    assert.equal(flawOf(armored(changed)), "wrong", `byte ${at}`);
  }
});

/** RFC 4880, 6.1. */
function crc24(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => {
    let crc = sum ^ (byte << 16);
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ ((crc & 0x800000) === 0 ? 0 : 0x1864cfb);
    return crc & 0xffffff;
  }, 0xb704ce);
}

test("the fingerprint of GitHub's key is that of the numbers which are verified with", () => {
  const { modulus, exponent, createdSeconds, fingerprint } = GITHUB_WEB_FLOW;
  const number = (base64: string) => {
    const bytes = Buffer.from(base64, "base64url");
    const head = Buffer.alloc(2);
    head.writeUInt16BE(bytes.length * 8 - Math.clz32(bytes[0]!) + 24);
    return Buffer.concat([head, bytes]);
  };
  const created = Buffer.alloc(4);
  created.writeUInt32BE(createdSeconds);
  const body = Buffer.concat([Buffer.from([4]), created, Buffer.from([1]), number(modulus), number(exponent)]);
  const packet = Buffer.concat([Buffer.from([0x99, body.length >> 8, body.length & 0xff]), body]);
  assert.equal(createHash("sha1").update(packet).digest("hex"), fingerprint);
});

test("a commit without a signature has none", () => {
  assert.deepEqual(signatureOf(UNSIGNED), { kind: "none" });
});

test("what is weak, made for something else, or no signature fleet knows, is told apart", () => {
  const ada = sshSigner("ada");
  const payload = Buffer.from(UNSIGNED, "latin1");
  const signed = (signature: string) => withSignature(UNSIGNED, signature);
  const table: readonly (readonly [string, string, string])[] = [
    ["RSA of 1024 bits", SIGNED_COMMITS.rsa1024, "weak"],
    ["another namespace than git", signed(ada.sign(payload, { namespace: "file" })), "other-namespace"],
    ["an empty namespace", signed(ada.sign(payload, { namespace: "" })), "other-namespace"],
    ["SHA-1 as the hash of the text", signed(ada.sign(payload, { hash: "sha1" })), "unsupported"],
    ["a signature of another text", signed(ada.sign(Buffer.from("other"))), "wrong"],
    ["OpenPGP of a key that is no forge's", OPENPGP_COMMIT, "unknown-openpgp-key"],
    ["X.509", signed("-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----"), "unsupported"],
    ["no armor", signed("hello"), "malformed"],
    ["an empty armor", signed("-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----"), "malformed"],
    ["text behind the armor", signed(`${ada.sign(payload)}\nmore`), "malformed"],
    ["text before the armor", signed(`more\n${ada.sign(payload)}`), "malformed"],
    ["a second spelling of the same base64", signed(ada.sign(payload).replace(/=*(?=\n-----END)/, "")), "malformed"],
  ];
  for (const [what, raw, flaw] of table) assert.equal(flawOf(raw), flaw, what);
});

test("RSA signatures of SHA-1 are weak, and those of SHA-2 good, by the very same key", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = publicKey.export({ format: "jwk" });
  const number = (base64: string) => {
    const bytes = Buffer.from(base64, "base64url");
    return wireString(bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
  };
  const key = Buffer.concat([wireString("ssh-rsa"), number(jwk.e!), number(jwk.n!)]);
  const made = (format: string, hash: string) => {
    const signed = sshSigned(Buffer.from(UNSIGNED, "latin1"), "git", "sha512");
    const signature = Buffer.concat([wireString(format), wireString(sign(hash, signed, privateKey))]);
    return withSignature(UNSIGNED, armoredSshSignature({ key, namespace: "git", hash: "sha512", signature }));
  };
  assert.equal(flawOf(made("ssh-rsa", "sha1")), "weak");
  assert.equal(flawOf(made("rsa-sha2-512", "sha256")), "wrong");
  for (const bits of ["256", "512"]) {
    const signature = signatureOf(made(`rsa-sha2-${bits}`, `sha${bits}`));
    assert.ok(typeof signature !== "string" && signature.kind === "ssh", bits);
  }
});

test("a security key's signature counts where it was touched, and only with the counter it was made with", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const application = "ssh:";
  const algorithm = "sk-ssh-ed25519@openssh.com";
  const key = Buffer.concat([wireString(algorithm), wireString(publicPoint(privateKey)), wireString(application)]);
  const hashed = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest();
  const made = (flags: number, told = flags, counter = 7) => {
    const count = (value: number) => Buffer.from([0, 0, 0, value]);
    const signed = sshSigned(Buffer.from(UNSIGNED, "latin1"), "git", "sha512");
    const message = Buffer.concat([hashed(application), Buffer.from([flags]), count(7), hashed(signed)]);
    const tail = Buffer.concat([Buffer.from([told]), count(counter)]);
    const signature = Buffer.concat([wireString(algorithm), wireString(sign(null, message, privateKey)), tail]);
    return withSignature(UNSIGNED, armoredSshSignature({ key, namespace: "git", hash: "sha512", signature }));
  };
  const touched = signatureOf(made(1));
  assert.ok(typeof touched !== "string" && touched.kind === "ssh");
  assert.equal(flawOf(made(0)), "untouched");
  assert.equal(flawOf(made(0, 1)), "wrong");
  assert.equal(flawOf(made(1, 1, 8)), "wrong");
});
