/**
 * Runs a range of the simulator's seeds in several processes at once, which take what others leave of the processors, and prints those
 * that failed with the command to replay them.
 */
import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";
import type { TestCounts } from "./run-tests.ts";

/** A seed makes a great many short-lived values: with more room for them a tenth less time goes into collecting them. */
const NODE_FLAGS = ["--max-semi-space-size=64"];

/** Seeds from `first` to `last`, both included, as a run of tests. */
export async function runSeeds(first: number, last: number, processes: number): Promise<TestCounts> {
  const started = performance.now();
  const each = Math.ceil((last - first + 1) / processes);
  const shares = Array.from({ length: processes }, (_, index) => {
    const from = first + index * each;
    return [from, Math.min(last, from + each - 1)] as const;
  });
  const results = await Promise.all(shares.map(([from, to]) => runShare(from, to)));
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`simulation: seeds ${first} to ${last}, ${failed} failed, in ${seconds.toFixed(1)} s\n`);
  return { passed, failed, skipped: [] };
}

/** One process; what it says of failed seeds is passed on. One that dies has failed in all it did not finish. */
async function runShare(first: number, last: number): Promise<{ readonly passed: number; readonly failed: number }> {
  const words = [...NODE_FLAGS, "scripts/sim.ts", "--seeds", `${first}..${last}`];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  // Virtual clocks do not care how long anything takes; whoever else runs may.
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((resolve) => child.once("close", resolve));
  const end = /^(\d+) passed, (\d+) failed: .*$/m.exec(said);
  process.stdout.write(end === null ? said : said.replace(`${end[0]}\n`, ""));
  const passed = Number(end?.[1] ?? 0);
  return { passed, failed: last - first + 1 - passed };
}
