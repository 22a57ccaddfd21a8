import { hasErrors } from "../../domain/diagnostic.ts";
import { readManifest } from "./read-manifest.ts";

/** What `fleet trust init` writes where the manifest says nothing of trust. */
export const TRUST_STANZA = "trust: { mode: range, signers: trust/allowed_signers }\n";

/**
 * The manifest with the stanza behind what is there, word for word. Null where it would not be read as meant: a manifest in braces, one
 * that has errors, or that has the key already.
 */
export function addTrust(path: string, text: string): string | null {
  const extended = `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${TRUST_STANZA}`;
  const { manifest, diagnostics } = readManifest(path, extended);
  return manifest?.trust?.mode === "range" && !manifest.flawed && !hasErrors(diagnostics) ? extended : null;
}
