import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildIfStale } from "../scripts/build.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { type Figures, figuresOf, interleaved, type Sizes } from "./figures.ts";
import { fleetArgv } from "./fleet-program.ts";
import { PlacedCluster } from "./placed-cluster.ts";

const ROUNDS = 5;
const UNITS_PER_MACHINE = 100;
const LIMIT_MS = 60_000;
const BUNDLE = fileURLToPath(new URL("../action/index.js", import.meta.url));

/**
 * The GitHub Action's plan of a commit that changes one unit, the whole step as a runner starts it, without GitHub: it also writes the plan's
 * files and the summary. The floor is `fleet plan` of the same.
 */
export async function benchAction(sizes: Sizes): Promise<Figures> {
  const units = sizes.units ?? 200;
  const machines = sizes.machines ?? Math.max(1, Math.ceil(units / UNITS_PER_MACHINE));
  await buildIfStale();
  const cluster = await PlacedCluster.up({ units, machines });
  const folder = mkdtempSync(join(tmpdir(), "fleet-bench-action-"));
  try {
    await cluster.repository.changeOne();
    const { path } = cluster.repository;
    const { floor, ours } = await interleaved(
      ROUNDS,
      async () =>
        void (await mustRun(fleetArgv("plan", "-C", path, "--registry", cluster.address), { timeoutMs: LIMIT_MS })),
      async () => void (await mustRun(step(path, cluster.address, folder), { timeoutMs: LIMIT_MS })),
    );
    const bundle = readFileSync(BUNDLE);
    return figuresOf(ours, floor, "ms", {
      units,
      machines,
      rounds: ROUNDS,
      bundleBytes: bundle.length,
      bundleGzipBytes: gzipSync(bundle).length,
    });
  } finally {
    rmSync(folder, { recursive: true });
    await cluster.down();
  }
}

/** `env` because shells cannot export names with hyphens, and `mustRun` passes its own on. */
function step(workspace: string, registry: string, folder: string): string[] {
  const variables = {
    INPUT_COMMAND: "plan",
    INPUT_REGISTRY: registry,
    GITHUB_WORKSPACE: workspace,
    GITHUB_STEP_SUMMARY: join(folder, "summary"),
    GITHUB_OUTPUT: join(folder, "output"),
    RUNNER_TEMP: folder,
  };
  return ["env", ...Object.entries(variables).map(([name, value]) => `${name}=${value}`), process.execPath, BUNDLE];
}
