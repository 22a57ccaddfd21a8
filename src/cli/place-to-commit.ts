import { GitProgram } from "../adapters/git/git-program.ts";
import type { LocalGitSource } from "../adapters/git/local-git-source.ts";
import { OperationError } from "../ports/operation-error.ts";

/** Where a commit of ours goes: the branch somebody stands on, with nothing beside it that no commit holds. */
export async function placeToCommit(
  source: LocalGitSource,
): Promise<{ readonly branch: string; readonly git: GitProgram }> {
  const branch = source.currentBranch();
  if (source.worktree === null || branch === null) {
    const saw = branch === null ? "HEAD is on no branch" : "this is a bare repository";
    throw new OperationError("no-branch", saw, { next: "stand on the branch the cluster follows: git switch main" });
  }
  if (await source.isDirty([""])) {
    throw new OperationError("worktree-dirty", "the working tree has changes that no commit holds", {
      next: "commit them, or put them away: git stash --include-untracked",
    });
  }
  return { branch, git: new GitProgram(source.worktree) };
}
