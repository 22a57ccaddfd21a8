import type { Diagnostic } from "../../domain/diagnostic.ts";
import { printable } from "./printable.ts";

/** All findings, `file:line:col: severity: what [code]`, each with what was expected and the next step under it. */
export function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const lines = diagnostics.flatMap(diagnosticLines);
  return [
    ...lines,
    ...(errors > 0 ? [`${errors} ${errors === 1 ? "error" : "errors"}; nothing was changed`] : []),
  ].join("\n");
}

function diagnosticLines({ at, severity, saw, code, expected, next }: Diagnostic): string[] {
  const place =
    at === undefined ? "" : `${[at.path, at.line, at.column].filter((part) => part !== undefined).join(":")}: `;
  return [
    printable(`${place}${severity}: ${saw} [${code}]`),
    ...(expected === undefined ? [] : [printable(`  expected: ${expected}`)]),
    ...(next === undefined ? [] : [printable(`  next: ${next}`)]),
  ];
}
