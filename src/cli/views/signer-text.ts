import type { CommitSigner } from "../../usecases/commit-facts.ts";

/** Who signed, for a column; empty where trust is off. */
export function signerText(signer: CommitSigner | null): string {
  if (signer === null) return "";
  return signer.kind === "known" ? signer.principals.join(",") : signer.because;
}
