import { buildIfStale } from "../scripts/build.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { type Figures, figuresOf, interleaved, rounded, type Sizes, timed } from "./figures.ts";
import { fleet, fleetArgv } from "./fleet-program.ts";
import { PlacedCluster } from "./placed-cluster.ts";

const ROUNDS = 7;
const UNITS_PER_MACHINE = 100;

/**
 * `fleet status` and `fleet list-units`, whole processes, standing in the repository of a cluster of so many units that each have a status.
 * The floor is the same program that only says its version. At most 300 ms with 3,000 units, 1 s with 20,000, on a machine with nothing else to do.
 */
export async function benchStatus(sizes: Sizes): Promise<Figures> {
  const units = sizes.units ?? 3_000;
  const machines = sizes.machines ?? Math.max(1, Math.ceil(units / UNITS_PER_MACHINE));
  await buildIfStale();
  const cluster = await PlacedCluster.up({ units, machines });
  try {
    const { repository, address } = cluster;
    const run = (...words: string[]) => mustRun(fleetArgv(...words, "-C", repository.path, "--registry", address));
    const { floor, ours } = await interleaved(
      ROUNDS,
      async () => void (await fleet("--version")),
      async () => void (await run("status")),
    );
    const cpuMs = await cpuOf(fleetArgv("status", "-C", repository.path, "--registry", address));
    const listMs = await timed(async () => void (await run("list-units")));
    const oneMs = await timed(async () => void (await run("status", "bench-00000")));
    return figuresOf(ours, floor, "ms", {
      ...{ units, machines, rounds: ROUNDS, targetMs: units <= 3_000 ? 300 : 1_000 },
      // Of the terminal's process alone: what others do on the machine does not count in it.
      cpuMs: rounded(cpuMs),
      listUnits: { value: rounded(listMs) },
      oneUnit: { value: rounded(oneMs) },
    });
  } finally {
    await cluster.down();
  }
}

/** In milliseconds; a shell counts it of what it has run. */
async function cpuOf(argv: readonly string[]): Promise<number> {
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" > /dev/null; } 2>&1';
  const [user, system] = (await mustRun(["bash", "-c", script, "bash", ...argv])).trim().split(" ").map(Number);
  return (user! + system!) * 1_000;
}
