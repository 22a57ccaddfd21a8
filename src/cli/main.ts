import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "@oclif/core";
import { watchReaders } from "./reader-gone.ts";
import { reportError } from "./report-error.ts";
import { usageHint } from "./usage-hint.ts";

/** The program: one command parsed and run. Whatever it rejects with is told once, here, with its exit code. */
export async function main(argv: string[]): Promise<void> {
  // Found beside the chunks, wherever the folder was copied or mounted to.
  const root = dirname(fileURLToPath(import.meta.url));
  watchReaders();
  try {
    await run(argv, root);
  } catch (error) {
    const isUsage = error instanceof Error && "oclif" in error;
    process.exitCode = reportError(error, isUsage ? hintFor(error, argv, root) : null);
  }
}

function hintFor({ message }: Error, argv: readonly string[], root: string): string | null {
  return usageHint(message, argv, JSON.parse(readFileSync(join(root, "oclif.manifest.json"), "utf8")));
}
