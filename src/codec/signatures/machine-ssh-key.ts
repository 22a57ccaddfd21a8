import { hash } from "node:crypto";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import type { RecipientTag } from "../../domain/secret/recipient-tag.ts";
import { wireString } from "./wire.ts";

const ALGORITHM = "ssh-ed25519";

/** A machine's key as OpenSSH has it in its own encoding (RFC 8709): what age takes as a recipient. */
export function sshWireOf(key: NodeKey): Buffer {
  return Buffer.concat([wireString(ALGORITHM), wireString(publicBytes(key))]);
}

/** As one line of an `authorized_keys` file or of age's recipients: `ssh-ed25519 AAAA…`. */
export function sshLineOf(key: NodeKey): string {
  return `${ALGORITHM} ${sshWireOf(key).toString("base64")}`;
}

/** The first four bytes of its sha256, in base64 without padding: how a file that age encrypts to such a key names it. */
export const recipientTag: RecipientTag = (key) =>
  unpadded(hash("sha256", sshWireOf(key), "buffer").subarray(0, TAG_BYTES));

const TAG_BYTES = 4;

/** The 32 bytes of the public key. */
export function publicBytes(key: NodeKey): Buffer {
  return Buffer.from(key.slice("ed25519:".length), "base64url");
}

/** Base64 as age writes it. */
export function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}
