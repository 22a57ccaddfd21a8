/**
 * What a commit's signature turned out to be, before anybody asks whose key it is. `ssh` and `forge` are good: they fit the commit's bytes
 * and were made for git.
 */
export type CommitSignature =
  | { readonly kind: "none" }
  | { readonly kind: "ssh"; readonly key: SshKey }
  | { readonly kind: "forge"; readonly forge: ForgeKey }
  | { readonly kind: "bad"; readonly flaw: SignatureFlaw };

export interface SshKey {
  /** Algorithm and base64 of the public key, one space between: the same text for the same key. */
  readonly text: string;
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** Forges whose own key may sign what they merge, by the name the manifest gives them. */
export const FORGE_KEYS = ["github-web-flow"] as const;
export type ForgeKey = (typeof FORGE_KEYS)[number];

/**
 * `malformed`: no signature one can read, or two; `wrong`: it does not fit the commit; `weak`: SHA-1, or RSA of less than 2048 bits;
 * `unsupported`: a certificate, X.509, an algorithm fleet does not have; `other-namespace`: made for something else than git;
 * `untouched`: of a security key that nobody touched; `unknown-openpgp-key`: OpenPGP, and not by a forge fleet knows.
 */
export type SignatureFlaw =
  | "malformed"
  | "wrong"
  | "weak"
  | "unsupported"
  | "other-namespace"
  | "untouched"
  | "unknown-openpgp-key";
