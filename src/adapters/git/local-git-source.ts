import type { CommitId } from "../../domain/names.ts";
import type { GitSource, TreeFile } from "../../ports/git-source.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { CommitReader } from "./commit-reader.ts";
import { findGitFolder } from "./git-folder.ts";
import { readBranchName, readRef, refCandidates } from "./git-refs.ts";
import { isDirty } from "./is-dirty.ts";
import { resolveRevision } from "./resolve-revision.ts";
import { WorktreeReader } from "./worktree-reader.ts";

export interface LocalGitSource extends GitSource, ObjectSource {
  /** The top of the working tree, absolute; null for a bare repository. */
  readonly worktree: string | null;
  /** The folder with the objects: `.git`, or the bare repository itself. */
  readonly gitFolder: string;
  /** The branch HEAD is on; null where it is on none. */
  currentBranch(): string | null;
  /** Whether anything under these paths ("" is everything) is not as HEAD has it. Never, for a bare repository. */
  isDirty(paths: readonly string[]): Promise<boolean>;
  /** What is in the working tree now, under these folders. Rejects with `no-worktree` for a bare repository. */
  worktreeFiles(folders: readonly string[]): Promise<readonly TreeFile[]>;
  /** The working tree in the shape of a commit, for previews. Rejects with `no-worktree` for a bare repository. */
  openWorktree(): WorktreeReader;
  close(): Promise<void>;
}

/**
 * A repository on this machine, read in place: the one `path` is in (a working tree, a linked one, or a bare repository).
 * `branch` is what `fetch` follows; null follows HEAD. Nothing is ever written to it.
 */
export function openLocalGitSource(path: string, branch: string | null = null): LocalGitSource {
  const folder = findGitFolder(path);
  const reader = new CommitReader(folder.common);

  const named = async (name: string): Promise<CommitId | null> => {
    for (const candidate of refCandidates(name)) {
      const oid = readRef(folder, candidate);
      if (oid !== null) return reader.peel(oid);
    }
    return /^[0-9a-f]{4,40}$/.test(name) ? reader.expand(name) : null;
  };
  const openWorktree = (): WorktreeReader => {
    if (folder.worktree !== null) return new WorktreeReader(folder.worktree);
    throw new OperationError("no-worktree", `${folder.own} is a bare repository and has no working tree`);
  };

  const tipNow = (): CommitId | null => {
    const oid = readRef(folder, branch === null ? "HEAD" : `refs/heads/${branch}`);
    return oid === null ? null : reader.peel(oid);
  };

  return {
    worktree: folder.worktree,
    gitFolder: folder.common,
    currentBranch: () => readBranchName(folder),
    async fetch() {
      const tip = tipNow();
      if (tip !== null) return tip;
      const what = branch === null ? "HEAD points to no commit" : `there is no branch ${branch}`;
      throw new OperationError("branch-missing", `${what} in ${folder.own}`, {
        next: "commit something first, or name a branch that exists",
      });
    },
    resolve: (revision) => resolveRevision(revision, named, () => reader),
    listFiles: async (commit, folders) => reader.listFiles(commit, folders),
    readBlob: async (oid, maxBytes) => reader.readBlob(oid, maxBytes),
    async isAncestor(ancestor, descendant) {
      reader.describe(descendant);
      return reader.isAncestor(ancestor, descendant);
    },
    readCommit: async (commit) => reader.raw(commit),
    changedFiles: async (before, after) => reader.changedFiles(before, after),
    async commitAt(ref) {
      const oid = readRef(folder, ref);
      return oid === null || reader.peel(oid) !== oid ? null : reader.raw(oid as CommitId);
    },
    describeCommit: async (commit) => reader.describe(commit),
    lastTip: tipNow,
    readObject: async (oid, maxBytes) => reader.stored(oid, maxBytes),
    deepen: async () => false,
    changedTrees: async (before, after, max) => reader.changedTrees(before, after, max),
    related: (commits, have, commitsMax) => reader.related(commits, have, commitsMax),
    isDirty: (paths) => isDirty(folder, paths),
    worktreeFiles: async (folders) => openWorktree().listFiles("" as CommitId, folders),
    openWorktree,
    close: async () => reader.close(),
  };
}
