import { createPublicKey, sign, verify } from "node:crypto";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import type { NodeIdentity } from "./node-identity.ts";

/** 64 bytes that prove that whoever has this identity meant these bytes. */
export function signatureOf(identity: NodeIdentity, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, identity.privateKey);
}

/** Whether that key's owner signed these bytes. */
export function isSignedBy(key: NodeKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  const jwk = { kty: "OKP", crv: "Ed25519", x: key.slice("ed25519:".length) };
  return verify(null, bytes, createPublicKey({ key: jwk, format: "jwk" }), signature);
}
