import { LINT_RULE_NAMES } from "../../src/domain/lint/lint-rules.ts";
import { textOf, trackedFiles, withoutComments } from "./sources.ts";

/**
 * Codes of every Diagnostic the sources make: object literals whose `code` is followed by its severity, and the small local
 * makers named `error`, `problem` or `forbiddenCharacter` that files of the compiler have; and the names of the lint's rules.
 */
export function diagnosticCodes(): readonly string[] {
  const codes = new Set<string>(LINT_RULE_NAMES);
  for (const path of trackedFiles()) {
    if (!/^src\/.*\.ts$/.test(path) || path.endsWith(".test.ts")) continue;
    const text = withoutComments(textOf(path));
    if (!/\bDiagnostic\b/.test(text)) continue;
    for (const [, code] of text.matchAll(/\bcode: "([a-z0-9-]+)",\s*severity\b/g)) codes.add(code!);
    for (const [, code] of text.matchAll(/(?:#|\b)(?:error|problem)\(\s*"([a-z0-9-]+)",/g)) codes.add(code!);
    for (const [, code] of text.matchAll(/#forbiddenCharacter\(text, "[^"]+", "([a-z0-9-]+)"/g)) codes.add(code!);
    // A file of the wrong kind is told by its kind.
    if (/`unit-\$\{file\.kind\}`/.test(text)) for (const kind of ["symlink", "submodule"]) codes.add(`unit-${kind}`);
  }
  return [...codes].sort();
}

/** Codes documented, from the first column of the tables of the page's part under that first-level heading. */
export function documentedCodes(page: string, heading: string): readonly string[] {
  const part = textOf(page)
    .split(/^(?=# )/m)
    .find((text) => text.startsWith(`# ${heading}\n`));
  return [...(part ?? "").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code!).sort();
}
