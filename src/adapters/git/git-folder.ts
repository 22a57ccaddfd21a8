import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";

/** Where the parts of a repository on disk are. A linked worktree keeps HEAD apart from the rest. */
export interface GitFolder {
  /** Holds HEAD. */
  readonly own: string;
  /** Holds objects, refs, packed-refs, shallow. */
  readonly common: string;
  /** The top of the working tree; null for a bare repository. */
  readonly worktree: string | null;
}

/** Finds the repository a folder is in: its own `.git`, one above it, or itself where it is bare. Rejects with `not-a-repository`. */
export function findGitFolder(start: string): GitFolder {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (isGitFolder(folder)) return checked({ own: folder, common: commonOf(folder), worktree: null });
    const own = dotGit(join(folder, ".git"));
    if (own !== null) return checked({ own, common: commonOf(own), worktree: folder });
    if (dirname(folder) === folder) break;
  }
  throw new OperationError("not-a-repository", `${resolve(start)} is not in a git repository`, {
    next: "run `git init` there and commit, or give the repository's path",
  });
}

function dotGit(path: string): string | null {
  const kind = kindOf(path);
  if (kind === "folder") return isGitFolder(path) ? path : null;
  if (kind === null) return null;
  const target = /^gitdir: (.+)\n?$/.exec(readFileSync(path, "utf8"))?.[1];
  if (target === undefined) return null;
  const own = resolve(dirname(path), target);
  return isGitFolder(own) ? own : null;
}

function isGitFolder(folder: string): boolean {
  return kindOf(join(folder, "HEAD")) === "file" && kindOf(join(commonOf(folder), "objects")) === "folder";
}

function commonOf(folder: string): string {
  const text = readIfThere(join(folder, "commondir"));
  return text === null ? folder : resolve(folder, text.trim());
}

/** Refuses what this reader would misread. */
function checked(folder: GitFolder): GitFolder {
  const config = readIfThere(join(folder.common, "config")) ?? "";
  const format = /^\s*objectformat\s*=\s*(\w+)/im.exec(config)?.[1];
  const refs = /^\s*refstorage\s*=\s*(\w+)/im.exec(config)?.[1];
  if ((format ?? "sha1") === "sha1" && (refs ?? "files") === "files") return folder;
  throw new OperationError(
    "repository-format-unsupported",
    `${folder.common} uses ${format ?? refs}, which fleet cannot read`,
    {
      next: "use a repository with SHA-1 object ids and files as refs (git's defaults)",
    },
  );
}

function kindOf(path: string): "file" | "folder" | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : stat.isDirectory() ? "folder" : "file";
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
