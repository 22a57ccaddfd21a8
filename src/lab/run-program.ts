import { spawn } from "node:child_process";
import { OperationError } from "../ports/operation-error.ts";

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is kept of a program's output; a lab's programs say little. */
const OUTPUT_CHARACTERS_MAX = 16 * 1024 * 1024;

/** Runs a program to its end and returns what it said; a program that cannot be started rejects. */
export function runProgram(
  argv: readonly string[],
  options: { stdin?: string; timeoutMs?: number } = {},
): Promise<ProgramResult> {
  const [program, ...rest] = argv as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: "SIGKILL",
    });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        if (output[stream].length < OUTPUT_CHARACTERS_MAX) output[stream] += text;
      });
    }
    child.once("error", (cause) => reject(new OperationError("program-missing", `cannot run ${program}`, { cause })));
    child.once("close", (code) => resolve({ code: code ?? 128, ...output }));
    child.stdin.on("error", () => child.stdin.destroy()); // A program need not read its input.
    child.stdin.end(options.stdin ?? "");
  });
}

/** Like `runProgram`, where anything but success is an error with what the program said. */
export async function mustRun(
  argv: readonly string[],
  options: { stdin?: string; timeoutMs?: number } = {},
): Promise<string> {
  const result = await runProgram(argv, options);
  if (result.code === 0) return result.stdout;
  throw new OperationError(
    "program-failed",
    `${argv.join(" ")} ended with ${result.code}: ${result.stderr.trim().slice(0, 2000)}`,
  );
}
