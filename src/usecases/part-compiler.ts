import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId, UnitName } from "../domain/names.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";

/**
 * Reads one commit and compiles some of its units; those the commit does not know are left out. Cached by whoever makes one. Rejects with
 * OperationError where the commit cannot be read.
 */
export type PartCompiler = (
  commit: CommitId,
  units: ReadonlySet<UnitName>,
) => Promise<{ readonly spec: SpecPart | null; readonly diagnostics: readonly Diagnostic[] }>;
