import type { Diagnostic } from "../diagnostic.ts";
import { compareText } from "../names.ts";
import { compilePaths } from "../trust/path-pattern.ts";
import type { TrustRuleSpec, TrustSpec } from "../trust/trust-policy.ts";
import type { Located, ManifestTrust } from "./manifest.ts";
import { resolveFromManifest } from "./repository-files.ts";

/** The manifest's `trust:`; null where it says nothing. What stands in the file of signers is not looked at here. */
export function compileTrust(
  manifestPath: string,
  trust: ManifestTrust | null,
): { readonly trust: TrustSpec | null; readonly diagnostics: readonly Diagnostic[] } {
  if (trust === null) return { trust: null, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const signers = trust.signers === null ? null : resolveFromManifest(manifestPath, trust.signers.value);
  const isOpen = trust.signers !== null || trust.forgeKeys.length > 0;
  const mode = trust.mode ?? (isOpen ? "range" : "off");
  if (trust.signers !== null && signers === null) diagnostics.push(outside(trust.signers));
  if (mode !== "off" && !isOpen) {
    const saw = `trust with mode: ${mode} and nobody who may sign`;
    const next = "name the file of keys: signers: trust/allowed_signers (fleet trust init writes both)";
    diagnostics.push({ code: "trust-without-signers", severity: "error", at: trust.at, saw, next });
  }
  const rules = trust.rules.map(({ paths, signers: names, count }): TrustRuleSpec => {
    for (const path of paths) if (compilePaths([path.value]) === null) diagnostics.push(noPattern(path));
    return { paths: paths.map(({ value }) => value), signers: names, count: count ?? 1 };
  });
  const forgeKeys = [...new Set(trust.forgeKeys)].sort(compareText);
  return { trust: { mode, signers, forgeKeys, rules }, diagnostics };
}

function outside({ value, at }: Located<string>): Diagnostic {
  const saw = `the path ${value}, which leads out of the repository`;
  return { code: "path-outside-repository", severity: "error", at, saw, next: "keep the file of signers inside" };
}

function noPattern({ value, at }: Located<string>): Diagnostic {
  const expected = "a pattern from the repository's root, such as clusters/prod/** or units/*.service";
  return { code: "trust-paths", severity: "error", at, saw: `the pattern ${value}`, expected };
}
