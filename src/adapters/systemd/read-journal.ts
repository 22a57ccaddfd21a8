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
 * The last lines about a unit since it was last started (microseconds since the epoch, 0 for never): its own, and PID 1's about it.
 * Without a start only the last lines of this boot. By time and not by invocation: journald learns a line's invocation from
 * a file that is gone once the unit is down, so the last words of a program that dies at once carry none.
 */
export async function readJournal(
  exec: Exec,
  name: UnitName,
  startedMicroseconds: bigint,
  lines: number,
): Promise<readonly string[]> {
  const since = startedMicroseconds === 0n ? ["-b"] : [`--since=@${decimalSeconds(startedMicroseconds)}`];
  // Not `-u`, which also finds what root's daemons say about the unit: our own agent's lines are no reason why a unit failed.
  const which = [...since, `_SYSTEMD_UNIT=${name}`, "+", "_PID=1", `UNIT=${name}`];
  const argv = ["journalctl", "--quiet", "--no-pager", "-o", "cat", "-n", String(lines), ...which];
  try {
    // What a program said with its last breath may still be on its way to journald when PID 1 already tells how it ended.
    await exec(["journalctl", "--sync"]);
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

function decimalSeconds(microseconds: bigint): string {
  return `${microseconds / 1_000_000n}.${String(microseconds % 1_000_000n).padStart(6, "0")}`;
}
