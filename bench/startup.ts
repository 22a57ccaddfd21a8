import { buildIfStale } from "../scripts/build.ts";
import { mustRun } from "../src/lab/run-program.ts";
import { type Figures, figuresOf, interleaved } from "./figures.ts";
import { fleet } from "./fleet-program.ts";

/** Enough that a median shrugs off the spikes of a busy machine; 21 pairs take 4 s. */
const ROUNDS = 21;

/** `fleet --version` against `node -e 0` with the same Node; at most 4 times as long. */
export async function benchStartup(): Promise<Figures> {
  await buildIfStale();
  const { floor, ours } = await interleaved(
    ROUNDS,
    async () => void (await mustRun([process.execPath, "-e", "0"])),
    async () => void (await fleet("--version")),
  );
  return figuresOf(ours, floor, "ms", { rounds: ROUNDS, targetRatio: 4 });
}
