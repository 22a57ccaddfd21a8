import { formatUnitFile } from "../domain/edit/format-unit-file.ts";
import type { FileEdit } from "../domain/edit/repository-edit.ts";
import type { CommitId } from "../domain/names.ts";
import { collectFiles } from "../domain/spec/collect-files.ts";
import { parseUnitFile } from "../domain/unit/parse-unit-file.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { CommitFiles } from "./commit-files.ts";

/**
 * The unit files and drop-ins of a working tree that are not in order, as they are to be; nothing is written. Files with errors are left to
 * their authors. Rejects with `manifest-unreadable` where nobody can say which files are units.
 */
export async function formatFiles(
  tree: Pick<GitSource, "listFiles" | "readBlob">,
  manifestPath: string,
): Promise<readonly FileEdit[]> {
  const commits = new CommitFiles(tree, manifestPath);
  const { manifest } = await commits.open(WORKING_TREE);
  if (manifest === null) {
    throw new OperationError("manifest-unreadable", `${manifestPath} says nothing of where units are`, {
      next: "fleet validate --worktree says what is wrong with it",
    });
  }
  const { sources, files } = await commits.list(WORKING_TREE, manifest);
  const needed = files.filter(({ path, kind }) => kind === "file" && sources.needs(path));
  const read = await commits.readAll(needed, []);
  const { units, dropins } = collectFiles(
    manifestPath,
    sources.unitFolders,
    needed.flatMap((file) => (read.has(file.path) ? [{ ...file, bytes: read.get(file.path)! }] : [])),
  );
  const all = [...units.values(), ...[...dropins.values()].flatMap((folder) => [...folder.values()])];
  return all.flatMap(({ path, bytes }): FileEdit[] => {
    const { file, diagnostics } = parseUnitFile(path, bytes);
    const text = diagnostics.some(({ severity }) => severity === "error") ? null : formatUnitFile(file);
    const formatted = text === null ? null : new TextEncoder().encode(text);
    return formatted === null || Buffer.compare(formatted, bytes) === 0 ? [] : [{ path, bytes: formatted }];
  });
}

/** There is one working tree, whatever it is called. */
const WORKING_TREE = "" as CommitId;
