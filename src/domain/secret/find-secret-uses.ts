import type { SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import type { EffectiveUnit } from "../unit/effective-unit.ts";
import { expandSpecifiers } from "../unit/specifiers.ts";
import { SECRETS_ROOT } from "./secret-name.ts";

/** A place where a unit names something below the folder of secrets. */
export interface SecretUse {
  /** Below the folder, what the unit's name answers filled in: `web@1.service/db-password`. Empty: the folder itself. */
  readonly path: string;
  readonly at: SourceLocation;
}

/** The folder, and whatever follows it up to what ends a path in any directive: white space, quotes, a colon, a comma, `=`, brackets. */
const PATH = new RegExp(
  `(?<![A-Za-z0-9._/])(?:${SECRETS_ROOT}|%t/fleet/secrets)(?:/([^\\s"':;,=(){}\\[\\]]*))?(?![A-Za-z0-9._-])`,
  "g",
);

/**
 * Where a unit names secrets, in whatever directive: `LoadCredential=`, `EnvironmentFile=`, a quadlet's `Volume=`. By path, each once, where it
 * is named first. `service`: what `%n` stands for.
 */
export function findSecretUses(service: UnitName, unit: EffectiveUnit): readonly SecretUse[] {
  const found = new Map<string, SecretUse>();
  for (const section of unit.sections) {
    for (const { value, at } of unit.assignments(section)) {
      if (!value.includes("fleet/secrets")) continue;
      for (const [, rest = ""] of value.matchAll(PATH)) {
        const path = expandSpecifiers(rest, service).text;
        if (!found.has(path)) found.set(path, { path, at });
      }
    }
  }
  return [...found.values()].sort((a, b) => compareText(a.path, b.path));
}
