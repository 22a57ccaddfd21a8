/** `npm run check:slow`: real etcd, real systemd, the CLI as a process, simulated clusters, the lab. About 15 minutes on two cores. */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "./build.ts";
import { runSeeds } from "./run-seeds.ts";
import { closeRun, runTests, type TestCounts } from "./run-tests.ts";

/** Each lab has a network of its own, and waits most of its time for leases to end; with three at once machines boot too slowly. */
const LABS = { files: ["test/e2e/**/*.test.ts", "test/journeys/**/*.test.ts"], concurrency: 2, timeoutMs: 300_000 };

/**
 * Clusters simulated in each run: a quarter of a second of CPU each, so 250 s on two cores that do nothing else. All others wait much of their
 * time, for leases to end and processes to start, and two processes that take what is left of the cores cost CI next to nothing.
 * `npm run check` has the first few seeds and those that once found a bug; `npm run soak` goes on.
 */
const SEEDS = 2_000;

const SERVED = {
  files: ["test/contract/**/*.test.ts", "test/cli/**/*.test.ts", "test/packaging/**/*.test.ts"],
  concurrency: 2,
  timeoutMs: 180_000,
};

const DEFECTS = { files: ["test/sim/defects.test.ts"], concurrency: 1, timeoutMs: 900_000 };

export async function checkSlow(): Promise<TestCounts[]> {
  await buildIfStale();
  const seeds = runSeeds(1, SEEDS, 2);
  const served = await runTests("contract and cli", SERVED);
  return [
    served,
    ...(await Promise.all([runTests("lab", LABS), runTests("defects the simulator notices", DEFECTS), seeds])),
  ];
}

if (relative(process.argv[1] ?? "", fileURLToPath(import.meta.url)) === "") closeRun(await checkSlow());
