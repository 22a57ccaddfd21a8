import { open, rm } from "node:fs/promises";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { ProgramRunner } from "../../ports/podman.ts";
import { SYSTEM_BUS } from "./system-bus.ts";
import { commandOf, TransientUnits, type UnitProperties } from "./transient-units.ts";

/** How its units are called. */
const PROGRAM_UNITS = "fleet-podman-";
/** Of what a program says the end tells why it failed. */
const WORDS_MAX_BYTES = 4 * 1024;
const STOP_SECONDS = 5;
/** systemd's levels: whoever asked tells of a failure. */
const LOG_CRITICAL_ONLY = 2;

/**
 * Runs programs as transient oneshots of systemd's: podman writes to its storage and makes mounts, all of which the agent's own sandbox
 * keeps it from (fleet-agent.service).
 */
export class RootProgram implements ProgramRunner {
  readonly #units: TransientUnits;
  readonly #prefix: string;
  readonly #folder: string;
  #runs = 0;

  /** `process`: a number that no other agent of this boot has. `folder`: of files that live for as long as a program runs. */
  constructor(clock: Clock, process: number, folder: string, address: string = SYSTEM_BUS) {
    this.#units = new TransientUnits(clock, address);
    this.#prefix = `${PROGRAM_UNITS}${process}-`;
    this.#folder = folder;
  }

  async run(argv: readonly string[], timeoutMs: number): Promise<{ readonly isDone: boolean; readonly words: string }> {
    const name = `${this.#prefix}${++this.#runs}`;
    const said = `${this.#folder}/${name}.err`;
    try {
      const result = await this.#units.run(
        `running ${argv[0]}`,
        `${name}.service`,
        propertiesOf(argv, timeoutMs, said),
      );
      return result === "done" ? { isDone: true, words: "" } : { isDone: false, words: await endOf(said) };
    } finally {
      await rm(said, { force: true });
    }
  }

  close(): void {
    this.#units.close();
  }
}

function propertiesOf(argv: readonly string[], timeoutMs: number, said: string): UnitProperties {
  const text = (name: string, value: string) => [name, { signature: "s", value }] as const;
  const long = (name: string, value: bigint) => [name, { signature: "t", value }] as const;
  return [
    text("Description", argv.join(" ")),
    text("Type", "oneshot"),
    ["DefaultDependencies", { signature: "b", value: false }],
    commandOf(argv),
    long("TimeoutStartUSec", BigInt(timeoutMs) * 1_000n),
    long("TimeoutStopUSec", BigInt(STOP_SECONDS) * 1_000_000n),
    text("CollectMode", "inactive-or-failed"),
    // Root's own credentials are found by it.
    ["Environment", { signature: "as", value: ["HOME=/root"] }],
    text("StandardOutput", "null"),
    text("StandardErrorFileToTruncate", said),
    ["LogLevelMax", { signature: "i", value: LOG_CRITICAL_ONLY }],
  ];
}

/** The last lines that say something; empty where nothing was said. */
async function endOf(path: string): Promise<string> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new OperationError("program-silent", `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const { size } = await file.stat();
    const length = Math.min(size, WORDS_MAX_BYTES);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString("utf8").split("\n");
    const told = lines.map((line) => line.trim()).filter((line) => line !== "");
    return told.slice(-2).join("; ");
  } finally {
    await file.close();
  }
}
