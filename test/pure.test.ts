/**
 * The tests of what takes values and gives values, in one process: some 3,200 in ten seconds, where a process for each of their 220 files
 * took two minutes. A file that cannot be loaded fails this one.
 */
import { globSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const PURE = ["src/domain/**/*.test.ts", "src/codec/**/*.test.ts", "src/cli/views/**/*.test.ts"];

for (const file of PURE.flatMap((pattern) => globSync(pattern)).sort()) await import(pathToFileURL(resolve(file)).href);
