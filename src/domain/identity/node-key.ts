declare const brand: unique symbol;

/**
 * A machine's or an engine's public key as it is written everywhere: `ed25519:` and the 32 raw bytes as 43 characters of unpadded base64url.
 * One spelling per key, so that texts are compared and no bytes. Made by `parseNodeKey`.
 */
export type NodeKey = string & { readonly [brand]: "NodeKey" };

/** What such a key must be, for people. */
export const NODE_KEY_FORM = "ed25519: and 43 characters of base64url, as fleet prints it";

/** 43 characters hold 258 bits and the key has 256: the last two are zero, or one key had four spellings. */
export const NODE_KEY_PATTERN = /^ed25519:[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Reads a key, or null where the text is not one. */
export function parseNodeKey(text: string): NodeKey | null {
  return NODE_KEY_PATTERN.test(text) ? (text as NodeKey) : null;
}
