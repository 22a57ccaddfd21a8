import type { Diagnostic, SourceLocation } from "../diagnostic.ts";

/** What a rule's findings are: nothing, or a diagnostic of that severity. The manifest's words for it. */
export type LintLevel = "off" | "warn" | "error";

/**
 * Every rule with its level where the manifest says nothing; its name is the code of its findings. A rule is on by default only if an
 * expert would change every unit it finds, and an error only if systemd refuses the unit or the machine could be lost; why each is
 * what it is: docs/diagnostics.md.
 */
export const LINT_RULES = {
  "dependency-contradiction": "warn",
  "directive-unknown": "warn",
  "endless-stop-timeout": "warn",
  "exec-shell-syntax": "warn",
  "forking-without-pidfile": "warn",
  "implied-root": "off",
  "kill-mode-none": "warn",
  "network-online-not-wanted": "warn",
  "registry-port": "error",
  "reserved-names": "error",
  "secret-in-environment": "warn",
  "section-unknown": "warn",
  "state-that-cannot-move": "off",
  "unit-old-spelling": "warn",
  "unit-refused": "error",
} as const satisfies Readonly<Record<string, LintLevel>>;

export type LintRule = keyof typeof LINT_RULES;

/** In the order of their names. */
export const LINT_RULE_NAMES = Object.keys(LINT_RULES).sort() as readonly LintRule[];

/** What the manifest says of rules; the others keep their own level. */
export type LintSettings = Readonly<Partial<Record<LintRule, LintLevel>>>;

/** Legal, and most likely not meant. The fields are those of a Diagnostic. */
export interface LintFinding {
  readonly rule: LintRule;
  readonly at: SourceLocation;
  readonly saw: string;
  readonly next?: string;
}

/** The level in force. */
export function levelOf(rule: LintRule, settings: LintSettings): LintLevel {
  return settings[rule] ?? LINT_RULES[rule];
}

/** Findings as the diagnostics they amount to under these settings. */
export function lintDiagnostics(findings: readonly LintFinding[], settings: LintSettings): readonly Diagnostic[] {
  return findings.flatMap(({ rule, ...finding }): Diagnostic[] => {
    const level = levelOf(rule, settings);
    if (level === "off") return [];
    return [{ code: rule, severity: level === "warn" ? "warning" : "error", ...finding }];
  });
}
