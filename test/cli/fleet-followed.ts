import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CACHE } from "./fleet-process.ts";
import type { SeatCluster } from "./seat-cluster.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/fleet.js", import.meta.url));
const LIMIT_MS = 20_000;

/** A `fleet` that goes on until it is told to end, and the lines it has printed so far. */
export class FleetFollowed {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #reader;

  /** On a terminal made by util-linux's `script`, or in a pipe. */
  constructor(words: readonly string[], { repository, cluster, env }: SeatCluster, isTerminal = false) {
    const command = [process.execPath, PROGRAM, ...words] as const;
    const [program, ...rest] = isTerminal ? (["script", "-qec", command.join(" "), "/dev/null"] as const) : command;
    this.#child = spawn(program, rest, {
      cwd: repository.path,
      stdio: ["ignore", "pipe", isTerminal ? "ignore" : "inherit"],
      env: {
        PATH: process.env.PATH,
        HOME: repository.path,
        XDG_CACHE_HOME: CACHE,
        FLEET_REGISTRY: cluster.address,
        ...env,
      },
    });
    this.#reader = createInterface({ input: this.#child.stdout! });
    this.#reader.on("line", (line) => this.lines.push(line.trimEnd()));
  }

  /** All lines there are once this one is among them; rejects where it does not come. */
  async line(wanted: string): Promise<readonly string[]> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    while (!this.lines.includes(wanted)) await once(this.#reader, "line", { signal });
    return this.lines;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    // script hands it no further, and ends what it runs with itself.
    this.#child.kill("SIGTERM");
    await once(this.#child, "exit");
  }
}
