import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildIfStale } from "../scripts/build.ts";
import { openLocalGitSource } from "../src/adapters/git/local-git-source.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { planCommit } from "../src/usecases/plan-commit.ts";
import { type Figures, figuresOf, interleaved, median, rounded, type Sizes, timed } from "./figures.ts";
import { fleetArgv } from "./fleet-program.ts";
import { PlacedCluster } from "./placed-cluster.ts";

const ROUNDS = 5;
const UNITS_PER_MACHINE = 100;
const PLAN_LIMIT_MS = 120_000;
const PEAK_MEMORY = fileURLToPath(new URL("./peak-memory.ts", import.meta.url));

/**
 * `fleet plan`, the whole process, against a cluster that runs just this commit, and half as large a one for the growth; then
 * of a commit that changes one unit, also with a compiler that knows the commit before, as engine and agents do. The floor is
 * `git ls-tree` and `git cat-file --batch` of the same files.
 */
export async function benchPlan(sizes: Sizes): Promise<Figures> {
  const units = sizes.units ?? 3_000;
  const machines = sizes.machines ?? Math.max(1, Math.ceil(units / UNITS_PER_MACHINE));
  await buildIfStale();
  const half = await withCluster(Math.ceil(units / 2), Math.ceil(machines / 2), coldPlan);
  return withCluster(units, machines, async (cluster) => {
    const whole = await coldPlan(cluster);
    const noChange = await peakMemory(cluster);
    await cluster.repository.changeOne();
    const oneChange = await coldPlan(cluster);
    const warmMs = await warmPlan(cluster);
    return figuresOf(whole.ours, whole.floor, "ms", {
      units,
      machines,
      rounds: ROUNDS,
      peakMb: rounded(noChange / 1e6),
      growth: { fromUnits: Math.ceil(units / 2), value: rounded(half.ours), ratio: rounded(whole.ours / half.ours) },
      oneChange: {
        value: rounded(oneChange.ours),
        ratio: rounded(oneChange.ours / oneChange.floor),
        peakMb: rounded((await peakMemory(cluster)) / 1e6),
      },
      oneChangeWarm: { value: rounded(warmMs), ratio: rounded(warmMs / oneChange.floor) },
    });
  });
}

async function withCluster<T>(
  units: number,
  machines: number,
  use: (cluster: PlacedCluster) => Promise<T>,
): Promise<T> {
  const cluster = await PlacedCluster.up({ units, machines });
  try {
    return await use(cluster);
  } finally {
    await cluster.down();
  }
}

function coldPlan(cluster: PlacedCluster): Promise<{ readonly floor: number; readonly ours: number }> {
  const git = ["git", "-C", cluster.repository.path];
  return interleaved(
    ROUNDS,
    // Read by somebody, as a plan is: thrown away by the shell the same takes half as long.
    async () => {
      const stdin = await mustRun([...git, "ls-tree", "-r", "--format=%(objectname)", "HEAD"]);
      await mustRun([...git, "cat-file", "--batch"], { stdin });
    },
    async () => void (await mustRun(planArgv(cluster), { timeoutMs: PLAN_LIMIT_MS })),
  );
}

function planArgv({ repository, address }: PlacedCluster): string[] {
  return fleetArgv("plan", "-C", repository.path, "--registry", address);
}

/** In bytes; of a run of its own, which nobody times. */
async function peakMemory(cluster: PlacedCluster): Promise<number> {
  const [node, ...words] = planArgv(cluster) as [string, ...string[]];
  const file = join(cluster.folder, "peak");
  await mustRun(["env", `FLEET_BENCH_PEAK=${file}`, node, "--import", PEAK_MEMORY, ...words], {
    timeoutMs: PLAN_LIMIT_MS,
  });
  return Number(readFileSync(file, "utf8"));
}

/** The plan of the commit that changes one unit, by whoever has compiled the commit before. */
async function warmPlan({ repository, registry }: PlacedCluster): Promise<number> {
  const source = openLocalGitSource(repository.path);
  const times: number[] = [];
  const [before, after] = await Promise.all(["HEAD~1", "HEAD"].map((revision) => source.resolve(revision)));
  for (let round = 0; round <= ROUNDS; round++) {
    const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
    const plan = async (commit: typeof before) => {
      const cluster = { registry, keysOf: registryKeys };
      const planned = await planCommit({ commit: commit!, compile, cluster, partial: null, sha256 });
      if (planned.kind !== "planned") throw new Error("the bench's own repository is refused");
      return planned.plan.changes.length;
    };
    if ((await plan(before)) !== 0) throw new Error("the cluster does not run what was released");
    times.push(
      await timed(async () => {
        if ((await plan(after)) !== 1) throw new Error("the plan is not of one change");
      }),
    );
  }
  await source.close();
  return median(times.slice(1));
}
