import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { type Identity, type Recipient, Stanza } from "age-encryption";
import { publicBytes, recipientTag, sshWireOf, unpadded } from "../../codec/signatures/machine-ssh-key.ts";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import { MACHINE_STANZA } from "../../domain/secret/secret-header.ts";

/**
 * A machine's own ed25519 key as a recipient, the way age itself encrypts to ssh-ed25519 keys (C2SP age, filippo.io/age/agessh): with X25519 on
 * the same curve, and a tweak that binds the two, so that a machine needs no second key. Unlike age's own keys it is named in the header, by
 * four bytes of its hash: who can read a file is seen without a key.
 */
export function machineRecipient(key: NodeKey): Recipient {
  const theirs = ed25519.utils.toMontgomery(publicBytes(key));
  return {
    wrapFileKey(fileKey) {
      const ephemeral = randomBytes(32);
      const share = x25519.getPublicKey(ephemeral);
      const shared = tweaked(key, x25519.getSharedSecret(ephemeral, theirs));
      const cipher = createCipheriv(CIPHER, wrapKey(shared, share, theirs), NONCE, { authTagLength: TAG_BYTES });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new Stanza([MACHINE_STANZA, recipientTag(key), unpadded(share)], new Uint8Array(body))];
    },
  };
}

/** The other half: of an ed25519 private key, and its own public one. */
export function machineIdentity(privateKey: KeyObject, key: NodeKey): Identity {
  const ours = ed25519.utils.toMontgomery(publicBytes(key));
  const tag = recipientTag(key);
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        if (args[0] !== MACHINE_STANZA || args[1] !== tag || args.length !== 3 || body.length !== WRAPPED_BYTES)
          continue;
        const share = new Uint8Array(Buffer.from(args[2]!, "base64"));
        if (share.length !== 32) continue;
        const fileKey = unwrapped(privateKey, key, share, ours, body);
        if (fileKey !== null) return fileKey;
      }
      return null;
    },
  };
}

/** Null: it is for another key of the same tag, or damaged. */
function unwrapped(privateKey: KeyObject, key: NodeKey, share: Uint8Array, ours: Uint8Array, body: Uint8Array) {
  const seed = Buffer.from(privateKey.export({ format: "jwk" }).d!, "base64url");
  try {
    const shared = tweaked(key, x25519.getSharedSecret(ed25519.utils.toMontgomerySecret(seed), share));
    const cipher = createDecipheriv(CIPHER, wrapKey(shared, share, ours), NONCE, { authTagLength: TAG_BYTES });
    cipher.setAuthTag(body.subarray(FILE_KEY_BYTES));
    return new Uint8Array(Buffer.concat([cipher.update(body.subarray(0, FILE_KEY_BYTES)), cipher.final()]));
  } catch {
    // What a share that is no point, or a wrong key, is refused with says nothing more.
    return null;
  } finally {
    seed.fill(0);
  }
}

function tweaked(key: NodeKey, shared: Uint8Array): Uint8Array {
  return x25519.getSharedSecret(derived(new Uint8Array(), sshWireOf(key)), shared);
}

function wrapKey(shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return derived(shared, Buffer.concat([share, recipient]));
}

function derived(material: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", material, salt, LABEL, 32));
}

const LABEL = Buffer.from("age-encryption.org/v1/ssh-ed25519");
const CIPHER = "chacha20-poly1305";
/** Each key wraps once. */
const NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;
const FILE_KEY_BYTES = 16;
const WRAPPED_BYTES = FILE_KEY_BYTES + TAG_BYTES;
