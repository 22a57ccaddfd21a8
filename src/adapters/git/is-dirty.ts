import { execFile } from "node:child_process";
import fs from "node:fs";
import { promisify } from "node:util";
import { OperationError } from "../../ports/operation-error.ts";
import type { GitFolder } from "./git-folder.ts";

/** `git status` of a large repository on a cold disk takes seconds; beyond this something is wrong with it. */
const STATUS_TIMEOUT_MS = 20_000;
const STATUS_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Whether the working tree differs from HEAD under these paths ("" is all). Asks git itself where it is installed (it has
 * the index's shortcuts), else compares file by file.
 */
export async function isDirty(folder: GitFolder, paths: readonly string[]): Promise<boolean> {
  if (folder.worktree === null) return false;
  const named = paths.filter((path) => path !== "");
  try {
    const { stdout } = await promisify(execFile)(
      "git",
      [
        `--git-dir=${folder.own}`,
        `--work-tree=${folder.worktree}`,
        "--no-optional-locks",
        "--literal-pathspecs",
        // Looking at a stranger's repository must not run what its configuration names.
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "status",
        "--porcelain",
        "--",
        ...(named.length < paths.length ? [] : named),
      ],
      { cwd: folder.worktree, timeout: STATUS_TIMEOUT_MS, maxBuffer: STATUS_BYTES_MAX },
    );
    return stdout !== "";
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new OperationError("worktree-unreadable", "cannot compare the working tree with HEAD: git status failed", {
        cause,
      });
    }
  }
  const git = await import("isomorphic-git");
  const rows = await git.statusMatrix({
    fs,
    dir: folder.worktree,
    gitdir: folder.own,
    ...(named.length < paths.length ? {} : { filepaths: named }),
  });
  return rows.some(([, head, worktree, index]) => head !== 1 || worktree !== 1 || index !== 1);
}
