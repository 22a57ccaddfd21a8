import type { Manifest } from "../spec/manifest.ts";
import { findSecrets } from "./find-secrets.ts";
import type { LintFinding } from "./lint-rules.ts";
import { SECRETS_BELONG } from "./lint-unit-file.ts";

/** What the manifest shows by itself: secrets among its variables, which become a drop-in that every user of the machine can read. */
export function lintManifest(manifest: Manifest): readonly LintFinding[] {
  const settings = [manifest.defaults, ...manifest.units.map((unit) => unit.settings)];
  return settings
    .flatMap(({ environment }) => environment)
    .filter(({ name, value }) => findSecrets(`${name}="${value.replaceAll('"', "'")}"`).length > 0)
    .map(({ name, at }) => ({
      rule: "secret-in-environment",
      at,
      saw: `a literal secret in environment: (${name})`,
      next: SECRETS_BELONG,
    }));
}
