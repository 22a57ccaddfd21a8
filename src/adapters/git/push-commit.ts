import { execFile } from "node:child_process";
import { OperationError } from "../../ports/operation-error.ts";

/** A commit of our own making, without parents, behind a ref of its own. */
export interface PushedCommit {
  /** A repository here, into which the commit is made first. */
  readonly directory: string;
  /** The address to push to, without credentials: these are in the environment, as git reads them. */
  readonly remote: string;
  readonly ref: string;
  /** The commit's whole message. */
  readonly text: string;
  /** By the name of each in the commit's tree, which has no folders. */
  readonly files: Readonly<Record<string, string>>;
  readonly isSigned: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What an error is called, and who can mend it. */
  readonly told: { readonly notMade: Told; readonly notPushed: Told };
}

interface Told {
  readonly code: string;
  readonly next: string;
}

/** A push of one commit; a forge that takes longer does not answer. */
const GIT_MS = 60_000;
/** An id. */
const OUTPUT_MAX = 64 * 1024;
/** The tail of what git says. */
const SAID_MAX = 500;

/**
 * Makes the commit and puts it behind the ref in place of what was there. By git itself: it has the people's keys, agents and credential
 * helpers, which are none of ours. The commit's id. Rejects with what `told` names.
 */
export async function pushCommit(push: PushedCommit): Promise<string> {
  const { ref, remote, text, isSigned, files, told } = push;
  const entries: string[] = [];
  for (const [name, content] of Object.entries(files)) {
    const blob = await runGit(push, ["hash-object", "-w", "--stdin"], content, told.notMade);
    entries.push(`100644 blob ${blob.trim()}\t${name}\n`);
  }
  const tree = await runGit(push, ["mktree"], entries.join(""), told.notMade);
  const sign = isSigned ? ["-S"] : ["--no-gpg-sign"];
  const commit = (await runGit(push, ["commit-tree", ...sign, "-F", "-", tree.trim()], text, told.notMade)).trim();
  await runGit(push, ["push", "--quiet", "--force", "--", remote, `${commit}:${ref}`], "", told.notPushed);
  return commit;
}

/** What git prints, at most so many bytes. */
export function runGit(
  {
    directory,
    environment,
    outputMax = OUTPUT_MAX,
  }: Pick<PushedCommit, "directory" | "environment"> & { outputMax?: number },
  words: readonly string[],
  input: string,
  { code, next }: Told,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: GIT_MS, killSignal: "SIGKILL" as const, maxBuffer: outputMax };
    const options = { cwd: directory, env: environment, ...limits };
    const child = execFile("git", [...words], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = stderr.trim().slice(-SAID_MAX) || error.message.slice(0, SAID_MAX);
      const message = `git ${words[0]} refused${said === "" ? "" : `: ${said.replaceAll("\n", "; ")}`}`;
      return reject(new OperationError(code, message, { next }));
    });
    child.stdin?.on("error", () => child.stdin?.destroy());
    child.stdin?.end(input);
  });
}
