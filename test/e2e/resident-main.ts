/** The other end of `ResidentFleet`: the built fleet, its commands run one after the other in this process, their output gathered. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ProgramResult } from "../../src/lab/run-program.ts";

const bundle = process.argv[2]!;
const { main } = (await import(pathToFileURL(join(bundle, "main.js")).href)) as {
  main: (words: string[]) => Promise<void>;
};

async function run(words: string[]): Promise<ProgramResult> {
  const output = { stdout: "", stderr: "" };
  const streams = ["stdout", "stderr"] as const;
  const own = streams.map((name) => process[name].write);
  for (const name of streams) {
    process[name].write = ((text: string | Uint8Array) => {
      output[name] += typeof text === "string" ? text : Buffer.from(text).toString();
      return true;
    }) as typeof process.stdout.write;
  }
  try {
    process.exitCode = 0;
    await main(words);
    return { code: Number(process.exitCode), ...output };
  } finally {
    for (const [index, name] of streams.entries()) process[name].write = own[index]!;
    process.exitCode = 0;
  }
}

let last: Promise<unknown> = Promise.resolve();
process.on("message", (words: string[]) => {
  last = last.then(() => run(words)).then((result) => process.send!(result));
});
process.on("disconnect", () => process.exit(0));
