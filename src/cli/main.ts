import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "@oclif/core";
import { watchReaders } from "./reader-gone.ts";
import { reportError } from "./report-error.ts";

/** The program: one command parsed and run. Whatever it rejects with is told once, here, with its exit code. */
export async function main(argv: string[]): Promise<void> {
  // Found beside the chunks, wherever the folder was copied or mounted to.
  const root = dirname(fileURLToPath(import.meta.url));
  watchReaders();
  try {
    await run(argv, root);
  } catch (error) {
    process.exitCode = reportError(error);
  }
}
