import { type ExecFileException, execFile } from "node:child_process";
import type { RebootReason } from "../../domain/locks/judge-reason.ts";
import { splitCommand } from "../../domain/unit/split-command.ts";
import type { FileStore } from "../../ports/file-store.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** A check that says nothing for so long is taken for one that cannot tell. */
const CHECK_TIMEOUT_MS = 60_000;
/** Of what a check prints; nobody reads it. */
const OUTPUT_MAX = 64 * 1024;

/** A command as it is written for `--check`: its words, without a shell, so that nothing in them is ever run but the program. */
export function checkWords(command: string): readonly string[] {
  const words = splitCommand(command);
  if (words !== null && words.length > 0) return words;
  throw new OperationError("bad-check", `${JSON.stringify(command)} is no command`, {
    next: "write a program and its words, quoted where one has blanks; for more, give a script's path",
  });
}

/** A file that is there wants a restart: `/run/reboot-required` is Debian's, and its way of saying so to kured and others. */
export async function fileReason(files: Pick<FileStore, "fingerprints">, path: string): Promise<RebootReason | null> {
  const [found] = await files.fingerprints([path]);
  if (found === undefined || found === null) return null;
  return { text: `${path} is there`, mark: `${found.inode} ${found.mtimeMs}` };
}

/** A program that ends with 0 wants a restart; any other end does not. Rejects where it cannot be run, or does not end. */
export function commandReason(words: readonly string[], timeoutMs = CHECK_TIMEOUT_MS): Promise<RebootReason | null> {
  const [program, ...rest] = words as readonly [string, ...string[]];
  const text = words.join(" ");
  return new Promise((resolve, reject) => {
    execFile(program, rest, { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: OUTPUT_MAX }, (error) => {
      if (error === null) resolve({ text: `${text} says so`, mark: "" });
      else if (typeof error.code === "number") resolve(null);
      else reject(cannotTell(text, error));
    });
  });
}

function cannotTell(text: string, cause: ExecFileException): OperationError {
  const what = cause.killed === true ? "did not end in time" : `cannot be run: ${cause.code ?? cause.message}`;
  return new OperationError("check-failed", `the check ${text} ${what}`, { cause, next: "run it by hand, as root" });
}
