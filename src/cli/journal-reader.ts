import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { serviceNameOf } from "../domain/unit/unit-name.ts";
import { OperationError } from "../ports/operation-error.ts";
import { journalThrough } from "./journal-through.ts";
import { isJournalHere, type JournalOptions, journalctlOn } from "./journalctl-on.ts";
import type { Place } from "./unit-place.ts";

/** By which way journals are read, and what is said when it has to be another. */
export interface JournalWay {
  /** `hub://…`, or null: none can be asked. */
  readonly engines: string | null;
  /** Somebody named the engines: there is no other way then. */
  readonly isNamed: boolean;
  readonly stateDirectory: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Nobody was asked, so that nothing was refused: another way may lead there. */
const NOT_CARRIED: ReadonlySet<string> = new Set([
  ...["machine-not-here", "engine-lost", "engine-too-old", "engine-busy"],
  ...["no-engine-keys", "not-joined", "hub-socket", "not-allowed"],
]);

/**
 * A unit's journal from its machine, in pieces: by journalctl here or in a lab's machine, through engines, or by ssh. `write` takes each piece;
 * null lets a program write for itself. Resolves with the exit code.
 */
export async function readJournal(
  place: Place,
  options: JournalOptions,
  way: JournalWay,
  write: ((text: string) => unknown) | null,
): Promise<number> {
  const direct = () => runProgram(journalctlOn(place, serviceNameOf(place.unit), options), write, way.signal);
  if (way.engines === null || (!way.isNamed && isJournalHere(place))) return direct();
  const wish = { machine: place.machine, unit: place.unit, ...options };
  try {
    const parts = journalThrough(way.engines, way.stateDirectory, wish, way.signal);
    await take(parts, write ?? ((text) => process.stdout.write(text) || once(process.stdout, "drain")));
    return 0;
  } catch (error) {
    const isCarried = !(error instanceof OperationError) || !NOT_CARRIED.has(error.code);
    if (isCarried || way.isNamed || place.address === null) throw error;
    way.say(`by ssh, because no engine carries it: ${error.message}`);
    return direct();
  }
}

async function take(parts: AsyncIterable<string>, write: (text: string) => unknown): Promise<void> {
  try {
    for await (const part of parts) await write(part);
  } catch (error) {
    // Whoever read it has read enough: `fleet journal web | head`.
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

async function runProgram(
  argv: readonly string[],
  write: ((text: string) => unknown) | null,
  signal: AbortSignal,
): Promise<number> {
  const output = write === null ? "inherit" : "pipe";
  const child: ChildProcess = spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", output, "inherit"] });
  const end = () => void child.kill("SIGTERM");
  signal.addEventListener("abort", end);
  try {
    child.stdout?.setEncoding("utf8").on("data", write!);
    const [code] = (await once(child, "close")) as [number | null];
    return code ?? 1;
  } catch (cause) {
    throw new OperationError("program-missing", `cannot run ${argv[0]}`, { cause });
  } finally {
    signal.removeEventListener("abort", end);
  }
}
