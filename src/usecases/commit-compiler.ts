import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";

/** Reads one commit and compiles it; cached by whoever makes one. Rejects with OperationError where the commit cannot be read. */
export type CommitCompiler = (
  commit: CommitId,
) => Promise<{ readonly spec: ClusterSpec | null; readonly diagnostics: readonly Diagnostic[] }>;
