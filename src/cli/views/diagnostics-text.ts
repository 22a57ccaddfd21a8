import type { Diagnostic } from "../../domain/diagnostic.ts";
import { printable } from "./printable.ts";
import { excerptLines } from "./source-excerpt.ts";

/**
 * All findings by their place: `file:line:col: severity: what [code]`, the line with a caret under it, and a hint. With errors among
 * them the last line counts, and says that nothing was done.
 */
export function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  const lines = diagnostics.flatMap(diagnosticLines);
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === "error");
  return [...lines, ...(failed ? [`${diagnosticCounts(diagnostics)}; nothing was changed`] : [])].join("\n");
}

/** `2 errors, 1 warning`; empty where there are none. */
export function diagnosticCounts(diagnostics: readonly Diagnostic[]): string {
  const counts = (["error", "warning", "info"] as const).map((severity) => {
    const count = diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? "" : "s"}`];
  });
  return counts.flat().join(", ");
}

function diagnosticLines(diagnostic: Diagnostic): string[] {
  const { at, severity, saw, code, excerpt } = diagnostic;
  const place =
    at === undefined ? "" : `${[at.path, at.line, at.column].filter((part) => part !== undefined).join(":")}: `;
  return [
    printable(`${place}${severity}: ${saw} [${code}]`),
    ...(excerpt === undefined ? [] : excerptLines(excerpt)),
    ...hint(diagnostic).map((line) => printable(`  ${line}`)),
  ];
}

/** Whoever is told the word that was meant needs no list of all that could have been. */
function hint({ expected, next }: Diagnostic): string[] {
  const shown = next?.startsWith("did you mean") === true ? undefined : expected;
  return [...(shown === undefined ? [] : [`expected: ${shown}`]), ...(next === undefined ? [] : [`next: ${next}`])];
}
