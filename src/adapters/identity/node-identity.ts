import { createPublicKey, type KeyObject } from "node:crypto";
import { type NodeKey, parseNodeKey } from "../../domain/identity/node-key.ts";
import { invariant } from "../../domain/invariant.ts";

/** A process's own ed25519 key. The private half leaves it only towards TLS: it is not among what printing or JSON shows. */
export class NodeIdentity {
  /** The public half, as git lists it. */
  readonly key: NodeKey;
  readonly #privateKey: KeyObject;

  /** Of an ed25519 private key. */
  constructor(privateKey: KeyObject) {
    const key = nodeKeyOf(createPublicKey(privateKey));
    invariant(key !== null, "an identity is an ed25519 key");
    this.key = key;
    this.#privateKey = privateKey;
  }

  get privateKey(): KeyObject {
    return this.#privateKey;
  }

  /** PKCS8 PEM, for TLS and for the key's file. */
  privatePem(): string {
    return this.#privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  }
}

/** How a public key is written; null where it is not an ed25519 one. */
export function nodeKeyOf(publicKey: KeyObject): NodeKey | null {
  if (publicKey.asymmetricKeyType !== "ed25519") return null;
  return parseNodeKey(`ed25519:${publicKey.export({ format: "jwk" }).x}`);
}
