import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type CommitId, compareText } from "../../domain/names.ts";
import type { GitSource, TreeFile } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { tooLarge } from "./git-object.ts";

/** As many as a commit's listing may hold (commit-reader.ts). */
const LISTED_FILES_MAX = 100_000;
/** Files up to this size are hashed when listed; a larger one is no unit, and readBlob refuses it by its size. */
const HASHED_BYTES_MAX = 16 * 1024 * 1024;
/** What git takes for executable. */
const OWNER_MAY_RUN = 0o100;

/**
 * The working tree as if it were a commit, for a preview of what is not committed yet. Ids are those git would give the
 * files. Everything under the folders counts, ignored files too; only `.git` does not.
 */
export class WorktreeReader implements Pick<GitSource, "listFiles" | "readBlob"> {
  readonly #top: string;
  readonly #pathOf = new Map<string, string>();

  constructor(top: string) {
    this.#top = top;
  }

  /** The commit is ignored: there is one working tree. */
  async listFiles(_commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]> {
    const files = new Map<string, TreeFile>();
    for (const folder of folders)
      this.#collect(
        folder
          .split("/")
          .filter((step) => step !== "")
          .join("/"),
        files,
      );
    return [...files.values()].sort((a, b) => compareText(a.path, b.path));
  }

  /** Rejects with `worktree-changed` where the file is no longer what was listed. */
  async readBlob(oid: string, maxBytes: number): Promise<Uint8Array> {
    const path = this.#pathOf.get(oid);
    const stat = path === undefined ? undefined : lstatSync(join(this.#top, path), { throwIfNoEntry: false });
    if (path === undefined || stat === undefined) throw changed(path ?? oid);
    if (stat.size > maxBytes) throw tooLarge(path, stat.size, maxBytes);
    const content = readFileSync(join(this.#top, path));
    if (blobId(content) !== oid) throw changed(path);
    return content;
  }

  #collect(path: string, files: Map<string, TreeFile>): void {
    const absolute = join(this.#top, path);
    const stat = lstatSync(absolute, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      for (const name of readdirSync(absolute).sort()) {
        if (name !== ".git") this.#collect(path === "" ? name : `${path}/${name}`, files);
      }
      return;
    }
    if (!stat.isFile() && !stat.isSymbolicLink()) return;
    const oid = this.#idOf(absolute, stat);
    this.#pathOf.set(oid, path);
    const executable = stat.isFile() && (stat.mode & OWNER_MAY_RUN) !== 0 ? { executable: true as const } : {};
    files.set(path, { path, oid, kind: stat.isFile() ? "file" : "symlink", ...executable });
    if (files.size > LISTED_FILES_MAX) {
      throw new OperationError(
        "tree-too-large",
        `the working tree has more than ${LISTED_FILES_MAX} files in the folders asked for`,
      );
    }
  }

  #idOf(absolute: string, stat: Stats): string {
    if (stat.isFile() && stat.size <= HASHED_BYTES_MAX) return blobId(readFileSync(absolute));
    return createHash("sha1").update(`${absolute}\0${stat.size}\0${stat.mtimeMs}`).digest("hex");
  }
}

function blobId(content: Uint8Array): string {
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
}

function changed(path: string): OperationError {
  return new OperationError("worktree-changed", `${path} changed while it was being read`, {
    next: "run the command again",
  });
}
