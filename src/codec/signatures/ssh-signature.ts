import { createHash, verify } from "node:crypto";
import type { CommitSignature, SignatureFlaw } from "../../domain/trust/commit-signature.ts";
import { readSshKey, type SshPublicKey } from "./ssh-public-key.ts";
import { canonicalBase64, WireError, WireReader, wireString } from "./wire.ts";

export const SSH_SIGNATURE_BEGIN = "-----BEGIN SSH SIGNATURE-----\n";
const ARMOR = /^-----BEGIN SSH SIGNATURE-----\n((?:[A-Za-z0-9+/=]{1,120}\n){1,400})-----END SSH SIGNATURE-----\n?$/;
const MAGIC = "SSHSIG";
const VERSION = 1;
const NAMESPACE = "git";
/** Whoever holds a security key has touched it for this signature. */
const USER_PRESENT = 0x01;

/** Verifies an armored signature as `ssh-keygen -Y sign -n git` makes it (PROTOCOL.sshsig of OpenSSH). */
export function verifySshSignature(payload: Uint8Array, armored: string): CommitSignature {
  const blob = canonicalBase64(ARMOR.exec(armored)?.[1]?.replaceAll("\n", "") ?? "");
  if (blob === null || blob.length === 0) return bad("malformed");
  try {
    return verifyBlob(payload, blob);
  } catch (error) {
    if (error instanceof WireError) return bad("malformed");
    throw error;
  }
}

function verifyBlob(payload: Uint8Array, blob: Buffer): CommitSignature {
  const wire = new WireReader(blob);
  if (wire.take(MAGIC.length).toString("latin1") !== MAGIC || wire.uint32() !== VERSION) return bad("malformed");
  const [keyBlob, namespace, reserved] = [wire.string(), wire.text(), wire.string()];
  const [hash, signature] = [wire.text(), wire.string()];
  wire.end();
  if (namespace !== NAMESPACE) return bad("other-namespace");
  if (hash !== "sha256" && hash !== "sha512") return bad("unsupported");
  const key = readSshKey(keyBlob);
  if (typeof key === "string") return bad(key);
  const digest = createHash(hash).update(payload).digest();
  const signed = Buffer.concat([
    Buffer.from(MAGIC),
    ...[namespace, reserved, hash, digest].map((part) => wireString(part)),
  ]);
  const flaw = flawOf(key, signed, new WireReader(signature));
  return flaw === null ? { kind: "ssh", key: key.id } : bad(flaw);
}

function flawOf(key: SshPublicKey, signed: Buffer, wire: WireReader): SignatureFlaw | null {
  const [format, signature] = [wire.text(), wire.string()];
  const [algorithm = ""] = key.id.text.split(" ");
  if (key.kind === "rsa") {
    wire.end();
    // The key's own name as a signature's is RSA with SHA-1.
    if (format === "ssh-rsa") return "weak";
    const hash = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" }[format];
    return hash === undefined ? "malformed" : fits(verify(hash, signed, key.object, signature));
  }
  if (format !== algorithm) return "malformed";
  const message = key.application === null ? signed : asTouched(key.application, signed, wire);
  wire.end();
  if (message === "untouched") return "untouched";
  if (key.kind === "ed25519") return fits(verify(null, message, key.object, signature));
  const joined = joinedPair(signature, key);
  return fits(joined !== null && verify(key.hash, message, { key: key.object, dsaEncoding: "ieee-p1363" }, joined));
}

/** What a security key signs in place of the text: with where it is for, whether it was touched, and its counter. */
function asTouched(application: string, signed: Buffer, wire: WireReader): Buffer | "untouched" {
  const flags = wire.take(1);
  const counter = wire.take(4);
  if ((flags[0]! & USER_PRESENT) === 0) return "untouched";
  const hashed = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest();
  return Buffer.concat([hashed(application), flags, counter, hashed(signed)]);
}

/** ECDSA's two numbers side by side, as node:crypto takes them; null where one is too large for the curve. */
function joinedPair(signature: Buffer, { hash }: SshPublicKey): Buffer | null {
  const wire = new WireReader(signature);
  const numbers = [wire.positive(), wire.positive()];
  wire.end();
  const width = hash === "sha256" ? 32 : hash === "sha384" ? 48 : 66;
  if (numbers.some(({ length }) => length > width)) return null;
  return Buffer.concat(numbers.map((number) => Buffer.concat([Buffer.alloc(width - number.length), number])));
}

function fits(verified: boolean): SignatureFlaw | null {
  return verified ? null : "wrong";
}

function bad(flaw: SignatureFlaw): CommitSignature {
  return { kind: "bad", flaw };
}
