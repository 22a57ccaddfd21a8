import { execFile } from "node:child_process";
import type { UnitName } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** Runs a program to its end; its standard output. Rejects where it failed. */
export type Exec = (argv: readonly string[]) => Promise<string>;

/** journalctl reads a journal of many gigabytes by its index in well under a second; a cold disk takes longer. */
const EXEC_TIMEOUT_MS = 20_000;
/** journald cuts a line at 48 KiB: room for a few hundred of the longest. */
const EXEC_OUTPUT_MAX = 16 * 1024 * 1024;

export const execProgram: Exec = ([program, ...rest]) =>
  new Promise((resolve, reject) => {
    const limits = { timeout: EXEC_TIMEOUT_MS, maxBuffer: EXEC_OUTPUT_MAX, killSignal: "SIGKILL" } as const;
    execFile(program!, rest, { ...limits, encoding: "utf8" }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });

/**
 * The last lines of a unit's last start: its own, and PID 1's about it. A unit systemd does not hold has no invocation to ask
 * for; then the last lines of this boot, of whichever start.
 */
export async function readJournal(
  exec: Exec,
  name: UnitName,
  invocation: string,
  lines: number,
): Promise<readonly string[]> {
  const which =
    invocation === ""
      ? ["-b", "-u", name]
      : [`_SYSTEMD_INVOCATION_ID=${invocation}`, "+", `INVOCATION_ID=${invocation}`, "_PID=1"];
  const argv = ["journalctl", "--quiet", "--no-pager", "-o", "cat", "-n", String(lines), ...which];
  try {
    const text = await exec(argv);
    // A message may have several lines of its own; `-n` counts messages.
    return text.trimEnd() === "" ? [] : text.trimEnd().split("\n").slice(-lines);
  } catch (cause) {
    throw new OperationError("journal-unreadable", `the journal of ${name} cannot be read: ${String(cause)}`, {
      cause,
      next: argv.join(" "),
    });
  }
}
