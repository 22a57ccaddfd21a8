import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "../../scripts/build.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/fleet.js", import.meta.url));
/** The slowest of these commands takes 2 s on a busy machine; one that hangs must fail its test, not the run. */
const LIMIT_MS = 20_000;

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
export function fleet(words: readonly string[], options: { cwd: string; registry?: string }): Promise<FleetResult> {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
    env: {
      PATH: process.env.PATH,
      HOME: options.cwd,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      FLEET_REGISTRY: options.registry ?? "none",
    },
  });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
  });
}
