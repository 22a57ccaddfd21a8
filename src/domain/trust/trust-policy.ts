import type { ForgeKey } from "./commit-signature.ts";
import type { PathPattern } from "./path-pattern.ts";

/**
 * Which commits must be signed. `off`: none. `head`: the one that is released. `range`: every one of the branch's own (its first
 * parents) since the last accepted one; a merge's signature vouches for what it merged. `strict`: every one that came in since.
 */
export const TRUST_MODES = ["off", "head", "range", "strict"] as const;
export type TrustMode = (typeof TRUST_MODES)[number];

/** The manifest's `trust:`, as a spec keeps it. */
export interface TrustSpec {
  readonly mode: TrustMode;
  /** The file of signers, from the repository's root; null where the machines have their own. */
  readonly signers: string | null;
  /** Sorted. */
  readonly forgeKeys: readonly ForgeKey[];
  readonly rules: readonly TrustRuleSpec[];
}

export interface TrustRuleSpec {
  /** Patterns of paths from the repository's root. */
  readonly paths: readonly string[];
  /** Principals, or names of forge keys; empty: every signer. */
  readonly signers: readonly string[];
  /** How many different ones of them must have signed; 1 or more. */
  readonly count: number;
}

/** A key that may sign, as a line of `allowed_signers` names it. */
export interface Signer {
  /** Patterns as ssh-keygen(1) has them: `alice@example.org`, `*@ops.example.org`, `!mallory@…`. At least one. */
  readonly principals: readonly string[];
  /** See `SshKey.text`. */
  readonly key: string;
  /** Null: for every namespace. */
  readonly namespaces: readonly string[] | null;
  /** Milliseconds since the epoch; null: no bound. */
  readonly validAfterMs: number | null;
  readonly validBeforeMs: number | null;
}

/** What commits are judged by: a policy and who may sign. */
export interface Trust {
  readonly mode: TrustMode;
  readonly signers: readonly Signer[];
  readonly forgeKeys: readonly ForgeKey[];
  readonly rules: readonly TrustRule[];
}

export interface TrustRule extends TrustRuleSpec {
  readonly matches: PathPattern;
}

export const NO_TRUST: Trust = { mode: "off", signers: [], forgeKeys: [], rules: [] };

export function stricterMode(a: TrustMode, b: TrustMode): TrustMode {
  return TRUST_MODES.indexOf(a) >= TRUST_MODES.indexOf(b) ? a : b;
}
