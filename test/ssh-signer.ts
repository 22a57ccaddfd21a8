import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { wireString } from "../src/codec/signatures/wire.ts";

/** A person with an ed25519 key of OpenSSH, the same for the same name. For tests that need more signatures than git could make in time. */
export interface SshSigner {
  /** A line of `allowed_signers`. */
  readonly line: string;
  /** The armored signature of that payload. */
  sign(payload: Uint8Array, changes?: SignatureChanges): string;
}

/** What a signature is made differently with. */
export interface SignatureChanges {
  readonly namespace?: string;
  readonly hash?: "sha256" | "sha512" | "sha1";
}

/** PKCS8 of an ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

export function sshSigner(name: string): SshSigner {
  const seed = createHash("sha256").update(name).digest();
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
  const blob = Buffer.concat([wireString("ssh-ed25519"), wireString(publicPoint(key))]);
  return {
    line: `${name} ssh-ed25519 ${blob.toString("base64")}`,
    sign: (payload, { namespace = "git", hash = "sha512" } = {}) => {
      const signed = sshSigned(payload, namespace, hash);
      const signature = Buffer.concat([wireString("ssh-ed25519"), wireString(sign(null, signed, key))]);
      return armoredSshSignature({ key: blob, namespace, hash, signature });
    },
  };
}

export function publicPoint(key: KeyObject): Buffer {
  return Buffer.from(createPublicKey(key).export({ format: "jwk" }).x!, "base64url");
}

/** What is signed in place of the text (PROTOCOL.sshsig). */
export function sshSigned(payload: Uint8Array, namespace: string, hash: string): Buffer {
  const digest = createHash(hash).update(payload).digest();
  return Buffer.concat([Buffer.from("SSHSIG"), ...[namespace, "", hash, digest].map((part) => wireString(part))]);
}

export function armoredSshSignature(parts: {
  readonly key: Uint8Array;
  readonly namespace: string;
  readonly hash: string;
  readonly signature: Uint8Array;
}): string {
  const { key, namespace, hash, signature } = parts;
  const version = Buffer.from([0, 0, 0, 1]);
  const strings = [key, namespace, "", hash, signature].map((part) => wireString(part));
  const lines = Buffer.concat([Buffer.from("SSHSIG"), version, ...strings])
    .toString("base64")
    .match(/.{1,70}/g)!;
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----"].join("\n");
}

/** The commit with that signature in it, where git puts it. */
export function withSignature(commit: string, signature: string): string {
  const end = commit.indexOf("\n\n");
  return `${commit.slice(0, end)}\ngpgsig ${signature.replaceAll("\n", "\n ")}${commit.slice(end)}`;
}
