import { spawn } from "node:child_process";
import { OperationError } from "../../ports/operation-error.ts";

export interface Feed {
  readonly stdin?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** After which it is killed. */
  readonly timeoutMs: number;
}

/** What is kept of a program's complaint. */
const COMPLAINT_CHARACTERS_MAX = 500;

/** Runs one of systemd's small programs for what it does; rejects with OperationError `program-failed` where it did not do it. */
export function feedProgram(argv: readonly string[], { stdin = "", environment, timeoutMs }: Feed): Promise<void> {
  const [program, ...words] = argv as [string, ...string[]];
  return new Promise((resolve, reject) => {
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin", ...environment };
    const child = spawn(program, words, {
      stdio: ["pipe", "ignore", "pipe"],
      env,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    let complaint = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = `${complaint}${text}`.slice(0, COMPLAINT_CHARACTERS_MAX);
    });
    const fail = (how: string, cause?: Error) =>
      reject(new OperationError("program-failed", `${program} ${how}`, cause === undefined ? {} : { cause }));
    child.once("error", (cause) => fail("could not be run", cause));
    child.once("close", (code, signal) => {
      if (code === 0) resolve();
      else fail(`ended with ${code ?? signal}: ${complaint.trim()}`);
    });
    child.stdin.on("error", () => child.stdin.destroy()); // It ended without reading: its exit code says why.
    child.stdin.end(stdin);
  });
}
