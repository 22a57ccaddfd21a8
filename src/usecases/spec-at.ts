import type { CommitId } from "../domain/names.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";

/** The spec of a commit, or null where it is not to be had here, a squashed branch's say. */
export async function specAt(compile: CommitCompiler, commit: CommitId): Promise<ClusterSpec | null> {
  try {
    return (await compile(commit)).spec;
  } catch (error) {
    if (error instanceof OperationError && error.code === "commit-unknown") return null;
    throw error;
  }
}
