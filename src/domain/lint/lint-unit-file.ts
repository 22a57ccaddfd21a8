import { locationOf, type UnitAssignment, type UnitFile } from "../unit/unit-file.ts";
import type { UnitType } from "../unit/unit-name.ts";
import { findSecrets } from "./find-secrets.ts";
import { lintDirectives } from "./lint-directives.ts";
import type { LintFinding } from "./lint-rules.ts";

/** `lintUnitFile`, or a caller's memory of it by file. */
export type LintFile = (file: UnitFile, type: UnitType | null) => readonly LintFinding[];

/** Directives whose values people put secrets into, beside those that run a command. */
const HOLD_SECRETS: ReadonlySet<string> = new Set([
  "Environment",
  "SetCredential",
  "PodmanArgs",
  "HealthCmd",
  "Options",
]);

/** What one file shows by itself, a fragment's or a drop-in's; `type` is that of the unit it is for, null where nobody knows. */
export function lintUnitFile(file: UnitFile, type: UnitType | null): readonly LintFinding[] {
  return [
    ...lintDirectives(file, type),
    ...file.entries.flatMap((entry) =>
      entry.kind === "assignment" ? [...literalSecrets(file, entry), ...shellSyntax(file, entry)] : [],
    ),
  ];
}

function isCommand(key: string): boolean {
  return key.startsWith("Exec");
}

/** Found in the text as written, so that the place is that of the variable and not of a line of twenty. */
function literalSecrets(file: UnitFile, entry: UnitAssignment): readonly LintFinding[] {
  if (!isCommand(entry.key) && !HOLD_SECRETS.has(entry.key)) return [];
  return findSecrets(entry.raw).map(({ start, known }): LintFinding => {
    const before = entry.raw.slice(0, start).split("\n");
    return {
      rule: "secret-in-environment",
      at: { path: file.path, line: entry.line + before.length - 1, column: before.at(-1)!.length + 1 },
      saw: `a literal secret in ${entry.key}= (${known})`,
      next: SECRETS_BELONG,
    };
  });
}

export const SECRETS_BELONG =
  "whoever reads the repository has it: fleet secret encrypt writes it for its machines alone";

/** What a shell would take apart. Quoted it belongs to a shell's `-c`, or is meant as it stands. */
const SHELL_WORD = /(?:^|[ \t])(\|\|?|&&|&|[0-9]?>>?(?:&[0-9]|\/[^ \t]*)?|&>[^ \t]*|<)(?=[ \t]|$)/;
const QUOTED = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;

function shellSyntax(file: UnitFile, entry: UnitAssignment): readonly LintFinding[] {
  if (!isCommand(entry.key) || !/[|&<>]/.test(entry.value)) return [];
  const word = SHELL_WORD.exec(entry.value.replace(QUOTED, "Q"))?.[1];
  if (word === undefined) return [];
  return [
    {
      rule: "exec-shell-syntax",
      at: locationOf(file, entry),
      saw: `${word} in ${entry.key}=, which systemd hands to the program as an argument`,
      next: `for a shell write ${entry.key}=/bin/sh -c '…'`,
    },
  ];
}
