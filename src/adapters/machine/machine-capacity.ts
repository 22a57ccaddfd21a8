import { availableParallelism, cpus, totalmem } from "node:os";
import type { Resources } from "../../domain/cluster/resources.ts";

/** What the kernel keeps for itself differs by a little from one version of it to the next, and that makes no other machine. */
const MEMORY_STEP = 16 * 1024 ** 2;

/** What this machine has in all: every core the kernel shows, and its memory, rounded down to 16 MiB. Nothing is kept back for the system. */
export function machineCapacity(): Resources {
  // Without /proc there is no list of them.
  const cores = cpus().length || availableParallelism();
  return { cpuMilli: cores * 1_000, memoryBytes: Math.floor(totalmem() / MEMORY_STEP) * MEMORY_STEP };
}
