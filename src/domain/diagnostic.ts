/** A place in a file of the repository. Lines and columns count from 1; columns count UTF-16 code units. */
export interface SourceLocation {
  readonly path: string;
  readonly line?: number;
  readonly column?: number;
}

/** A line of a file as people may see it: secrets masked. */
export interface SourceExcerpt {
  /** Without its line end; tabs and control characters as they are. */
  readonly text: string;
  /** Of the place in this text, which masking may have moved; null where the whole line is meant. */
  readonly column: number | null;
}

/**
 * A problem the repository's author can fix. Values, never thrown; a decider returns all it found, not the first.
 * `saw` is what is wrong, without blame or full stop; `expected` what would have been right; `next` the step to take.
 * Codes are stable, kebab-case and documented in docs/diagnostics.md.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning" | "info";
  readonly at?: SourceLocation;
  readonly saw: string;
  readonly expected?: string;
  readonly next?: string;
  /** The line `at` points to, where whoever compiled showed it to people. */
  readonly excerpt?: SourceExcerpt;
}

/** Whether anything in the list forbids going on. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
