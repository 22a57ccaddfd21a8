import { fileURLToPath } from "node:url";
import { mustRun } from "../src/lab/run-program.ts";

const PROGRAM = fileURLToPath(new URL("../bin/fleet.js", import.meta.url));

/** The command line as users run it: the built bundle, with the Node that runs this. */
export function fleetArgv(...words: readonly string[]): string[] {
  return [process.execPath, PROGRAM, ...words];
}

/** What it printed; rejects where it failed. */
export function fleet(...words: readonly string[]): Promise<string> {
  return mustRun(fleetArgv(...words));
}
