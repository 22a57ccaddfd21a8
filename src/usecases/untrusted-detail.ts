import type { SignatureFlaw } from "../domain/trust/commit-signature.ts";
import type { UnknownHistory } from "../domain/trust/history.ts";
import type { Untrusted } from "../domain/trust/judge-commit.ts";
import type { TrustVerdict } from "./trust-judge.ts";

/** A verdict that is not "accepted", for statuses, errors and logs. `code` is stable. */
export interface UntrustedDetail {
  readonly code: "untrusted" | "history-unknown" | "trust-invalid";
  readonly detail: string;
  readonly next: string;
}

export function untrustedDetail(verdict: Exclude<TrustVerdict, { kind: "accepted" }>): UntrustedDetail {
  switch (verdict.kind) {
    case "refused":
      return {
        code: "untrusted",
        detail: `commit ${verdict.commit.slice(0, 12)} ${untrustedText(verdict.reason)}`,
        next: NEXT[verdict.reason.code],
      };
    case "unknown":
      return { code: "history-unknown", detail: UNKNOWN[verdict.because], next: UNKNOWN_NEXT[verdict.because] };
    case "invalid": {
      const [first] = verdict.diagnostics;
      const place = first?.at === undefined ? "" : ` (${first.at.path}:${first.at.line ?? 1})`;
      const detail = `what commit ${verdict.commit.slice(0, 12)} says of trust cannot be gone by: ${first?.saw}${place}`;
      return { code: "trust-invalid", detail, next: first?.next ?? "fleet validate shows what is wrong" };
    }
  }
}

/** What is wrong with a commit, behind its name. */
export function untrustedText(reason: Untrusted): string {
  switch (reason.code) {
    case "unsigned":
      return "is not signed";
    case "bad-signature":
      return FLAWS[reason.flaw];
    case "unknown-signer":
      return `is signed with a key that may not sign, ${reason.fingerprint}`;
    case "forge-not-allowed":
      return `is signed by ${reason.forge}, which is not among trust.forgeKeys`;
    case "signer-not-valid":
      return `is signed with ${reason.fingerprint} of ${reason.principals.join(",")}, ${BECAUSE[reason.because]}`;
    case "rule-unmet": {
      const whom = reason.signers.length === 0 ? "" : ` of ${reason.signers.join(", ")}`;
      const asked = reason.count === 1 ? `one signer${whom}` : `${reason.count} different signers${whom}`;
      const signed = `it is signed by ${reason.signedBy.join(", ")}`;
      return `changes ${reason.path}, for which the rule of ${reason.paths.join(", ")} asks for ${asked}; ${signed}`;
    }
  }
}

const FLAWS: Readonly<Record<SignatureFlaw, string>> = {
  malformed: "has a signature that cannot be read",
  wrong: "has a signature that does not fit it: it was changed after it was signed",
  weak: "has a weak signature: SHA-1, or RSA of less than 2048 bits",
  unsupported: "has a signature of a kind fleet does not verify",
  "other-namespace": "has a signature that was not made for git",
  untouched: "has a signature of a security key that nobody touched",
  "unknown-openpgp-key": "has an OpenPGP signature, and not by a forge fleet knows",
};

const BECAUSE = {
  "too-early": "whose line was not valid yet when it was made",
  "too-late": "whose line was not valid any more when it was made",
  "not-for-git": "whose line is not for git",
} as const;

const SIGN = "sign it and push again: git commit --amend -S, git push --force-with-lease; no machine has taken it";
const NEXT: Readonly<Record<Untrusted["code"], string>> = {
  unsigned: SIGN,
  "bad-signature": SIGN,
  "unknown-signer": "let somebody sign who may, or first add the key in a commit that one of them signs",
  "forge-not-allowed": "sign merges yourself, or opt in with trust.forgeKeys in a commit of somebody who may sign",
  "signer-not-valid": "let somebody sign whose line is valid, or first mend it in a commit that one of them signs",
  "rule-unmet": "let whom the rule names sign it; two of them sign by one writing on a branch and another merging it",
};

const UNKNOWN: Readonly<Record<UnknownHistory, string>> = {
  "too-long": "more commits came since the last accepted one than are looked at (20,000)",
  "too-short": "this copy of the repository ends before the last accepted commit is reached",
};
const UNKNOWN_NEXT: Readonly<Record<UnknownHistory, string>> = {
  "too-long": "release a commit in between first",
  "too-short": "give this machine a source with the whole history",
};
