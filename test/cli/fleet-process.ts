import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "../../scripts/build.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/fleet.js", import.meta.url));
/** The slowest of these commands takes 2 s on a busy machine; one that hangs must fail its test, not the run. */
const LIMIT_MS = 20_000;
/** What fleet keeps for a user would be a change in the repository, where these users live. */
export const CACHE = mkdtempSync(join(tmpdir(), "fleet-cache-"));
process.once("exit", () => rmSync(CACHE, { recursive: true, force: true }));

export interface FleetResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Call once before the first test: the tests run what users run, the bundle. */
export const prepareFleet = buildIfStale;

/**
 * Runs `fleet` as a process with nothing of this machine in its environment, and no cluster unless the words name one: a registry's
 * socket may well exist here.
 */
export function fleet(words: readonly string[], options: FleetOptions): Promise<FleetResult> {
  return finished(start([process.execPath, PROGRAM, ...words], options, "ignore"));
}

/** Runs a shell's script in which `$FLEET` is the program, as a person or a CI step would write it. */
export function shell(script: string, options: FleetOptions): Promise<FleetResult> {
  const env = { ...options.env, FLEET: `${process.execPath} ${PROGRAM}` };
  return finished(start(["bash", "-c", script], { ...options, env }, "ignore"));
}

/**
 * The same on a terminal, made by util-linux's `script`: once it has asked, `atPrompt` happens and then the answer is typed. Standard
 * output holds what the terminal showed, errors too.
 */
export async function fleetOnTerminal(
  words: readonly string[],
  options: FleetOptions & { readonly answer: string; readonly atPrompt: () => unknown },
): Promise<FleetResult> {
  const command = [process.execPath, PROGRAM, ...words].map((word) => `'${word}'`).join(" ");
  const child = start(["script", "--quiet", "--return", "--command", command, "/dev/null"], options, "pipe");
  let shown = "";
  let asked = false;
  child.stdout!.on("data", (text: string) => {
    shown += text;
    if (asked || !shown.includes("Only 'yes' goes on: ")) return;
    asked = true;
    Promise.resolve(options.atPrompt()).then(
      () => child.stdin!.write(`${options.answer}\n`),
      () => child.kill("SIGKILL"),
    );
  });
  return finished(child);
}

export interface FleetOptions {
  readonly cwd: string;
  readonly registry?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function start(command: readonly string[], options: FleetOptions, input: "ignore" | "pipe"): ChildProcess {
  const child = spawn(command[0]!, command.slice(1), {
    cwd: options.cwd,
    stdio: [input, "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    env: {
      PATH: process.env.PATH,
      HOME: options.cwd,
      XDG_CACHE_HOME: CACHE,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      FLEET_REGISTRY: options.registry ?? "none",
      ...options.env,
    },
  });
  for (const stream of ["stdout", "stderr"] as const) child[stream]!.setEncoding("utf8");
  return child;
}

function finished(child: ChildProcess): Promise<FleetResult> {
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream]!.on("data", (text: string) => {
      said[stream] += text;
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
  });
}
