/** `npm run check:slow`: real etcd, real systemd, the CLI as a process, simulated clusters, the lab. About 14 minutes on two cores. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.ts";
import { runSeeds } from "./run-seeds.ts";
import { closeRun, runTests, type TestCounts } from "./run-tests.ts";

/** Labs share one machine's cores and default addresses: one file at a time. */
const ONE_BY_ONE = ["test/e2e/**/*.test.ts", "test/journeys/**/*.test.ts"];

/**
 * Clusters simulated in each run, in two processes: under a minute, of twenty for all of CI. `npm run check` has the first few of them
 * and those that once found a bug; `npm run sim -- --seeds 1..2000` and `npm run soak` go on.
 */
const SEEDS = 300;

export async function checkSlow(): Promise<TestCounts[]> {
  await buildIfStale();
  return [
    await runTests("contract and cli", {
      files: ["test/contract/**/*.test.ts", "test/cli/**/*.test.ts"],
      concurrency: 2,
      timeoutMs: 180_000,
    }),
    await runSeeds(1, SEEDS, 2),
    await runTests("lab", { files: ONE_BY_ONE, concurrency: 1, timeoutMs: 240_000 }),
  ];
}

if (relative(process.argv[1] ?? "", fileURLToPath(import.meta.url)) === "") closeRun(await checkSlow());
