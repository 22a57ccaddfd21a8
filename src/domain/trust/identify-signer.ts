import { compareText } from "../names.ts";
import type { CommitSignature, SignatureFlaw } from "./commit-signature.ts";
import { matchesPrincipals } from "./principal-pattern.ts";
import type { Signer, Trust } from "./trust-policy.ts";

/** Who signed, as those know them who are to trust it. */
export interface KnownSigner {
  /** Of all lines that hold for the key now; sorted. For a forge its name. */
  readonly principals: readonly string[];
  /** Of the key; a forge's name. */
  readonly fingerprint: string;
}

/** Why nobody is known to have signed. */
export type Unidentified =
  | { readonly code: "unsigned" }
  | { readonly code: "bad-signature"; readonly flaw: SignatureFlaw }
  | { readonly code: "unknown-signer"; readonly key: string; readonly fingerprint: string }
  | { readonly code: "forge-not-allowed"; readonly forge: string }
  | {
      readonly code: "signer-not-valid";
      readonly fingerprint: string;
      readonly principals: readonly string[];
      readonly because: "too-early" | "too-late" | "not-for-git";
    };

/** The namespace git signs in. */
const NAMESPACE = "git";

/** Who signed, by lines that held at that moment: the commit's, or that of the commit before it where it claims an earlier one. */
export function identifySigner(signature: CommitSignature, trust: Trust, atMs: number): KnownSigner | Unidentified {
  if (signature.kind === "none") return { code: "unsigned" };
  if (signature.kind === "bad") return { code: "bad-signature", flaw: signature.flaw };
  if (signature.kind === "forge") {
    const { forge } = signature;
    return trust.forgeKeys.includes(forge)
      ? { principals: [forge], fingerprint: forge }
      : { code: "forge-not-allowed", forge };
  }
  const { text, fingerprint } = signature.key;
  const lines = trust.signers.filter(({ key }) => key === text);
  if (lines.length === 0) return { code: "unknown-signer", key: text, fingerprint };
  const holding = lines.filter((line) => whyNot(line, atMs) === null);
  const of = (some: readonly Signer[]) => [...new Set(some.flatMap(({ principals }) => principals))].sort(compareText);
  if (holding.length > 0) return { principals: of(holding), fingerprint };
  return { code: "signer-not-valid", fingerprint, principals: of(lines), because: whyNot(lines[0]!, atMs)! };
}

export function isKnown(signer: KnownSigner | Unidentified): signer is KnownSigner {
  return !("code" in signer);
}

/** Bounds as OpenSSH has them: valid at both. */
function whyNot(
  { namespaces, validAfterMs, validBeforeMs }: Signer,
  atMs: number,
): Extract<Unidentified, { code: "signer-not-valid" }>["because"] | null {
  if (namespaces !== null && !matchesPrincipals(namespaces, NAMESPACE)) return "not-for-git";
  if (validAfterMs !== null && atMs < validAfterMs) return "too-early";
  return validBeforeMs !== null && atMs > validBeforeMs ? "too-late" : null;
}
