import { spawn } from "node:child_process";
import { invariant } from "../../domain/invariant.ts";
import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** Somebody may have to type a passphrase for the signature. */
const COMMIT_LIMIT_MS = 120_000;
/** A slow line to the forge. */
const PUSH_LIMIT_MS = 300_000;
/** An id, or a line of configuration. */
const OUTPUT_MAX = 64 * 1024;

/**
 * The git program, for what writes to the repository somebody stands in: it alone signs as that person has configured it (SSH, OpenPGP or a
 * program of their own), and knows their remotes and credentials. Reading is never its business.
 */
export class GitProgram {
  readonly #worktree: string;

  constructor(worktree: string) {
    this.#worktree = worktree;
  }

  /**
   * A commit on top of `parent` whose tree is that of `treeOf`, signed where `commit.gpgSign` is set; no branch moves. Rejects with
   * `git-failed`, in git's words, or `git-missing`.
   */
  async commitTree(treeOf: CommitId, parent: CommitId, message: string): Promise<CommitId> {
    const sign = (await this.#isSigning()) ? ["-S"] : [];
    const words = ["commit-tree", ...sign, "-p", parent, "-F", "-", `${treeOf}^{tree}`];
    const commit = (await this.#run(words, COMMIT_LIMIT_MS, message)).trim();
    invariant(/^[0-9a-f]{40}$/.test(commit), "git commit-tree prints the id of a commit");
    return commit as CommitId;
  }

  /** Commits these paths as they are in the working tree, and nothing else, signed as git is configured. */
  async commitPaths(paths: readonly string[], message: string): Promise<CommitId> {
    await this.#run(["add", "--all", "--", ...paths], COMMIT_LIMIT_MS);
    await this.#run(["commit", "--quiet", "--only", "--file", "-", "--", ...paths], COMMIT_LIMIT_MS, message);
    return (await this.#run(["rev-parse", "HEAD"], COMMIT_LIMIT_MS)).trim() as CommitId;
  }

  /** Takes the branch, the index and the working tree on to a commit that descends from HEAD. */
  async fastForward(commit: CommitId): Promise<void> {
    await this.#run(["merge", "--ff-only", "--quiet", "--no-verify-signatures", commit], COMMIT_LIMIT_MS);
  }

  /** To where git pushes that branch. */
  async push(branch: string): Promise<void> {
    const remote = (await this.#config("config", "--get", `branch.${branch}.remote`)) ?? "origin";
    await this.#run(["push", "--quiet", remote, `refs/heads/${branch}:refs/heads/${branch}`], PUSH_LIMIT_MS);
  }

  /** `git commit-tree` itself does not look at it. */
  async #isSigning(): Promise<boolean> {
    return (await this.#config("config", "--type=bool", "--get", "commit.gpgSign")) === "true";
  }

  /** Null where it is not set, which git says by failing. */
  async #config(...words: readonly string[]): Promise<string | null> {
    try {
      return (await this.#run(words, COMMIT_LIMIT_MS)).trim() || null;
    } catch (error) {
      if (error instanceof OperationError && error.code === "git-failed") return null;
      throw error;
    }
  }

  /** Its standard output; what it says of an error is the error's. */
  #run(words: readonly string[], limitMs: number, input = ""): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn("git", ["-C", this.#worktree, ...words], {
        stdio: ["pipe", "pipe", "pipe"],
        timeout: limitMs,
      });
      const said = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream].setEncoding("utf8");
        child[stream].on("data", (text: string) => {
          said[stream] = `${said[stream]}${text}`.slice(-OUTPUT_MAX);
        });
      }
      child.once("error", (cause: NodeJS.ErrnoException) => {
        const isMissing = cause.code === "ENOENT";
        reject(
          isMissing
            ? new OperationError("git-missing", "there is no git program here", { next: "install git", cause })
            : new OperationError("git-failed", `cannot run git ${words[0]}`, { cause }),
        );
      });
      child.once("close", (code) => {
        if (code === 0) resolve(said.stdout);
        else reject(new OperationError("git-failed", failure(words[0]!, said.stderr, code)));
      });
      // A program that ends without reading says so by its exit code.
      child.stdin.once("error", () => undefined);
      child.stdin.end(input);
    });
  }
}

function failure(command: string, stderr: string, code: number | null): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const why = lines
    .slice(0, 3)
    .join("; ")
    .replace(/^(fatal|error): /, "");
  return `git ${command} failed: ${why === "" ? (code === null ? "it took too long" : `exit ${code}`) : why}`;
}
