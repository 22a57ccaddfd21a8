import type { CommitSignature } from "../../domain/trust/commit-signature.ts";
import { OPENPGP_SIGNATURE_BEGIN, verifyOpenpgpSignature } from "./openpgp-signature.ts";
import type { SignedCommit } from "./signed-commit.ts";
import { SSH_SIGNATURE_BEGIN, verifySshSignature } from "./ssh-signature.ts";

/**
 * What a commit's signature is. Pure: the same bytes give the same answer everywhere, so that every machine can judge for itself and none
 * needs git, ssh-keygen or gpg.
 */
export function readSignature({ payload, signature }: Pick<SignedCommit, "payload" | "signature">): CommitSignature {
  if (signature === null) return { kind: "none" };
  if (signature.startsWith(SSH_SIGNATURE_BEGIN)) return verifySshSignature(payload, signature);
  if (signature.startsWith(OPENPGP_SIGNATURE_BEGIN)) return verifyOpenpgpSignature(payload, signature);
  // X.509 begins with "SIGNED MESSAGE".
  return { kind: "bad", flaw: /^-----BEGIN [A-Z0-9 ]+-----\n/.test(signature) ? "unsupported" : "malformed" };
}
