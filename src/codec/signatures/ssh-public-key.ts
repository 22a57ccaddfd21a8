import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import type { SshKey } from "../../domain/trust/commit-signature.ts";
import { canonicalBase64, WireError, WireReader } from "./wire.ts";

/** A public key of OpenSSH, ready to verify with. */
export interface SshPublicKey {
  readonly id: SshKey;
  readonly kind: "ed25519" | "ecdsa" | "rsa";
  readonly object: KeyObject;
  /** `sha256` for P-256 and so on; for the others the signature says it, or there is none. */
  readonly hash: "sha256" | "sha384" | "sha512" | null;
  /** Of a security key (sk-…): what its signatures are bound to. Null: an ordinary key. */
  readonly application: string | null;
}

/** `weak`: RSA of less than 2048 bits; `unsupported`: a certificate, DSA, what is newer than fleet; `malformed`: no key. */
export type KeyFlaw = "weak" | "unsupported" | "malformed";

const RSA_BITS_MIN = 2048;
/** OpenSSH's own limit. */
const RSA_BITS_MAX = 16_384;
const KEY_BYTES_MAX = 8192;

const CURVES = {
  nistp256: { name: "P-256", bytes: 32, hash: "sha256" },
  nistp384: { name: "P-384", bytes: 48, hash: "sha384" },
  nistp521: { name: "P-521", bytes: 66, hash: "sha512" },
} as const;

/** From the two words of a line in `authorized_keys` or `allowed_signers`; the algorithm must be the one inside, too. */
export function readSshKeyText(algorithm: string, base64: string): SshPublicKey | KeyFlaw {
  const blob = canonicalBase64(base64);
  const key = blob === null ? "malformed" : readSshKey(blob);
  return typeof key === "string" || key.id.text === `${algorithm} ${base64}` ? key : "malformed";
}

export function readSshKey(blob: Uint8Array): SshPublicKey | KeyFlaw {
  if (blob.length > KEY_BYTES_MAX) return "malformed";
  try {
    const wire = new WireReader(blob);
    const algorithm = wire.text();
    const read = readKey(algorithm, wire);
    if (typeof read === "string") return read;
    wire.end();
    const id = {
      text: `${algorithm} ${Buffer.from(blob).toString("base64")}`,
      fingerprint: `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`,
    };
    return { id, ...read };
  } catch (error) {
    // node:crypto refuses points that are not on the curve, and the like.
    if (error instanceof WireError || isCryptoError(error)) return "malformed";
    throw error;
  }
}

function readKey(algorithm: string, wire: WireReader): Omit<SshPublicKey, "id"> | KeyFlaw {
  switch (algorithm) {
    case "ssh-ed25519":
      return ed25519(wire.string(), null);
    case "sk-ssh-ed25519@openssh.com":
      return ed25519(wire.string(), wire.text());
    case "ssh-rsa":
      return rsa(wire.positive(), wire.positive());
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return ecdsa(algorithm.slice("ecdsa-sha2-".length) as keyof typeof CURVES, wire.text(), wire.string(), null);
    case "sk-ecdsa-sha2-nistp256@openssh.com":
      return ecdsa("nistp256", wire.text(), wire.string(), wire.text());
    default:
      return "unsupported";
  }
}

function ed25519(point: Buffer, application: string | null): Omit<SshPublicKey, "id"> {
  if (point.length !== 32) throw new WireError("an ed25519 key has 32 bytes");
  const object = fromJwk({ kty: "OKP", crv: "Ed25519", x: point.toString("base64url") });
  return { kind: "ed25519", object, hash: null, application };
}

function ecdsa(
  expected: keyof typeof CURVES,
  curve: string,
  point: Buffer,
  application: string | null,
): Omit<SshPublicKey, "id"> {
  const { name, bytes, hash } = CURVES[expected];
  // 4: not compressed, the only form OpenSSH writes.
  if (curve !== expected || point.length !== 1 + 2 * bytes || point[0] !== 4)
    throw new WireError("no point of the curve");
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)].map((part) => part.toString("base64url"));
  return { kind: "ecdsa", object: fromJwk({ kty: "EC", crv: name, x, y }), hash, application };
}

function rsa(exponent: Buffer, modulus: Buffer): Omit<SshPublicKey, "id"> | KeyFlaw {
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < RSA_BITS_MIN) return "weak";
  if (bits > RSA_BITS_MAX || (exponent.at(-1)! & 1) === 0 || (exponent.length === 1 && exponent[0]! < 3))
    return "malformed";
  const object = fromJwk({ kty: "RSA", n: modulus.toString("base64url"), e: exponent.toString("base64url") });
  return { kind: "rsa", object, hash: null, application: null };
}

function fromJwk(key: Readonly<Record<string, string | undefined>>): KeyObject {
  return createPublicKey({ format: "jwk", key });
}

function isCryptoError(error: unknown): boolean {
  return error instanceof Error && /^ERR_(CRYPTO|OSSL|INVALID_ARG)/.test(String((error as NodeJS.ErrnoException).code));
}
