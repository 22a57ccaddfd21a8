import { readFile } from "node:fs/promises";
import { readAllowedSigners } from "../codec/signatures/allowed-signers.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import { TRUST_MODES, type TrustMode } from "../domain/trust/trust-policy.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { MachineTrust } from "../usecases/commit-trust.ts";
import { diagnosticsText } from "./views/diagnostics-text.ts";

/** The signers this machine has of its own, where it has any. A file that cannot be gone by ends the daemon: it was asked for. */
export async function machineTrust(flags: {
  readonly "trust-signers"?: string | undefined;
  readonly "trust-mode"?: string | undefined;
}): Promise<MachineTrust | null> {
  const path = flags["trust-signers"];
  if (path === undefined) return null;
  const mode = flags["trust-mode"] ?? "range";
  if (!isMode(mode)) {
    throw new OperationError("bad-trust-mode", `--trust-mode ${mode} is none of head, range, strict`, {
      next: "range is the one for most: every commit of the branch is signed",
    });
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new OperationError("signers-unreadable", `cannot read ${path}, which --trust-signers names`, { cause });
  });
  const { signers, diagnostics } = readAllowedSigners(path, bytes);
  if (!hasErrors(diagnostics)) return { mode, signers };
  throw new OperationError("signers-unreadable", `${path} cannot be gone by:\n${diagnosticsText(diagnostics)}`, {
    next: "mend the file, and start the daemon again",
  });
}

function isMode(text: string): text is Exclude<TrustMode, "off"> {
  return text !== "off" && (TRUST_MODES as readonly string[]).includes(text);
}
