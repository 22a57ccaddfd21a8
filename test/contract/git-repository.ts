import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A work tree made by the real git, with authors and times fixed so that its ids are the same on every run. */
export interface TestRepository {
  readonly path: string;
  git(arguments_: readonly string[], input?: string | Buffer): string;
  /** Writes these files, removes those that are null, and commits. Returns the commit's id. */
  commit(files: Readonly<Record<string, string | Buffer | { symlink: string } | null>>, subject?: string): string;
  remove(): void;
}

/** `from`: a repository to copy. */
export function makeTestRepository(options: { bare?: boolean; from?: string } = {}): TestRepository {
  const path = mkdtempSync(join(tmpdir(), "fleet-git-"));
  let commits = 0;
  const repository: TestRepository = {
    path,
    git(arguments_, input) {
      const at = `${1_700_000_000 + commits} +0000`;
      const output = execFileSync("git", [...arguments_], {
        cwd: path,
        encoding: "utf8",
        ...(input === undefined ? {} : { input }),
        stdio: ["pipe", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          HOME: path,
          GIT_CONFIG_GLOBAL: "/dev/null",
          GIT_CONFIG_NOSYSTEM: "1",
          GIT_AUTHOR_NAME: "Ada Author",
          GIT_AUTHOR_EMAIL: "ada@example.org",
          GIT_AUTHOR_DATE: at,
          GIT_COMMITTER_NAME: "Ada Author",
          GIT_COMMITTER_EMAIL: "ada@example.org",
          GIT_COMMITTER_DATE: at,
        },
      });
      return output.trimEnd();
    },
    commit(files, subject = "change") {
      for (const [name, content] of Object.entries(files)) {
        const file = join(path, name);
        rmSync(file, { recursive: true, force: true });
        if (content === null) continue;
        mkdirSync(dirname(file), { recursive: true });
        if (typeof content === "string" || Buffer.isBuffer(content)) writeFileSync(file, content);
        else symlinkSync(content.symlink, file);
      }
      commits++;
      repository.git(["add", "--all", "--force"]);
      repository.git(["commit", "--quiet", "--allow-empty", "--message", subject]);
      return repository.git(["rev-parse", "HEAD"]);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
  if (options.from !== undefined) cpSync(options.from, path, { recursive: true });
  else repository.git(["init", "--quiet", "--initial-branch=main", ...(options.bare ? ["--bare"] : [])]);
  return repository;
}
