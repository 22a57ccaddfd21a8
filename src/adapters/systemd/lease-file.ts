import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { LeaseHolder } from "../../ports/lease-holder.ts";
import { OperationError } from "../../ports/operation-error.ts";

export interface LeasePaths {
  /** Where the helpers read when the last acknowledged renewal was sent. */
  readonly sent: string;
  /** A folder for each helper that runs, with the pipe it sleeps on. */
  readonly helpers: string;
  readonly uptime: string;
}

const PATHS: LeasePaths = { sent: "/run/fleet-agent/lease", helpers: "/run/fleet-lease", uptime: "/proc/uptime" };

/**
 * Tells the helpers of `fleet-lease@.service` (packaging/systemd/fleet-lease): writes the moment, in milliseconds of uptime, the one
 * clock that all processes of a machine share, and pokes them. Everything lies in memory and takes microseconds, so it is done at once:
 * what is handed over later would be worth less.
 */
export class LeaseFile implements LeaseHolder {
  readonly #clock: Clock;
  readonly #paths: LeasePaths;

  constructor(clock: Clock, paths: LeasePaths = PATHS) {
    this.#clock = clock;
    this.#paths = paths;
  }

  async renewed(sentMs: number): Promise<void> {
    try {
      this.#write(sentMs);
      for (const helper of entriesOf(this.#paths.helpers)) poke(join(this.#paths.helpers, helper, "poke"));
    } catch (cause) {
      throw new OperationError("lease-not-told", `cannot hand over the lease in ${this.#paths.sent}`, { cause });
    }
  }

  #write(sentMs: number): void {
    const uptimeMs = Number(readFileSync(this.#paths.uptime, "utf8").split(" ")[0]) * 1_000;
    // Asked last: whatever delays us in between makes the moment earlier than it was, and never later.
    const sentAgoMs = this.#clock.monotonicMs() - sentMs;
    const temporary = `${this.#paths.sent}.new`;
    mkdirSync(dirname(temporary), { recursive: true });
    writeFileSync(temporary, `${Math.max(1, Math.floor(uptimeMs - sentAgoMs))}\n`, { mode: 0o600 });
    renameSync(temporary, this.#paths.sent);
  }
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return []; // None has ever run since boot.
    throw error;
  }
}

/** One that is on its way up reads the moment by itself; one that is behind has a pipe full of pokes, and another would say no more. */
function poke(pipe: string): void {
  try {
    const descriptor = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(descriptor, "\n");
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT", "ENXIO", "EAGAIN")) throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? "");
}
