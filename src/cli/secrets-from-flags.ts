import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CommitId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type CommitSecrets, secretsOfCommit } from "../usecases/secrets-of-commit.ts";
import type { Composition } from "./composition.ts";
import { RejectedCommit } from "./report-error.ts";
import { saveFile } from "./save-file.ts";

/** The secrets of the working tree, which is where files of them are written, and its folder. */
export async function secretsOfWorktree(composition: Composition): Promise<CommitSecrets & { worktree: string }> {
  const repository = await composition.repository();
  const { worktree } = repository;
  if (worktree === null) {
    throw new OperationError("no-worktree", "this is a bare repository: there is nothing to write into");
  }
  return { worktree, ...(await readSecrets(composition, repository.openWorktree(), "" as CommitId)) };
}

/** Those of a commit, or of a working tree by its reader. */
export async function readSecrets(
  { manifest, sha256 }: Composition,
  source: Parameters<typeof secretsOfCommit>[0]["source"],
  commit: CommitId,
): Promise<CommitSecrets> {
  const read = await secretsOfCommit({ source, manifestPath: manifest, commit, sha256 });
  if (read.kind === "rejected") throw new RejectedCommit(read.diagnostics);
  return read;
}

/** `path`: from the repository's root. */
export async function writeSecret(worktree: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(worktree, path)), { recursive: true });
  await saveFile(join(worktree, path), text, 0o644);
}
