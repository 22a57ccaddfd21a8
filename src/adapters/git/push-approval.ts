import { execFile } from "node:child_process";
import { OperationError } from "../../ports/operation-error.ts";

export interface ApprovalPush {
  /** A repository here: its git configuration says who approves, and with which key. */
  readonly directory: string;
  /** The address to push to, without credentials: these are in the environment, as git reads them. */
  readonly remote: string;
  readonly ref: string;
  /** The commit's whole message. */
  readonly text: string;
  readonly isSigned: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A push of one small commit; a forge that takes longer does not answer. */
const GIT_MS = 60_000;
/** The tail of what git says. */
const SAID_MAX = 500;

/**
 * Makes a commit without parents or files and puts it behind the ref. By git itself: it has the people's keys, agents and credential helpers,
 * which are none of ours. The commit's id. Rejects with `approval-not-made` (no name, no key) or `approval-not-pushed`.
 */
export async function pushApproval(push: ApprovalPush): Promise<string> {
  const { ref, remote, text, isSigned } = push;
  const tree = await git(push, ["hash-object", "-t", "tree", "-w", "--stdin"], "", "approval-not-made");
  const sign = isSigned ? ["-S"] : ["--no-gpg-sign"];
  const commit = await git(push, ["commit-tree", ...sign, "-F", "-", tree], text, "approval-not-made");
  // Another approval of the same content takes the place of the one before.
  await git(push, ["push", "--quiet", "--force", "--", remote, `${commit}:${ref}`], "", "approval-not-pushed");
  return commit;
}

const NEXT = {
  "approval-not-made":
    "git must know who you are (user.name, user.email), and to sign with which key (gpg.format, user.signingkey)",
  "approval-not-pushed": "whoever approves must be allowed to push to the source",
} as const;

function git(
  { directory, environment }: ApprovalPush,
  words: readonly string[],
  input: string,
  code: keyof typeof NEXT,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: directory, env: environment, timeout: GIT_MS, killSignal: "SIGKILL" as const };
    const child = execFile("git", [...words], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout.trim());
      const said = stderr.trim().slice(-SAID_MAX) || error.message.slice(0, SAID_MAX);
      const message = `git ${words[0]} refused${said === "" ? "" : `: ${said.replaceAll("\n", "; ")}`}`;
      return reject(new OperationError(code, message, { next: NEXT[code] }));
    });
    child.stdin?.on("error", () => child.stdin?.destroy());
    child.stdin?.end(input);
  });
}
