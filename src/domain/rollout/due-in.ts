import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { BakingSet } from "./next-wave.ts";
import type { RolloutRecord } from "./rollout-record.ts";

/** In how many milliseconds the first soak or bake that has begun is over, if everything stays healthy: 0 or more, infinity where none has begun. */
export function dueIn(
  { openRings, soakedMs, bakes }: Pick<RolloutRecord, "openRings" | "soakedMs" | "bakes">,
  { rings = [] }: Pick<ClusterSpec, "rings">,
  baking: readonly Pick<BakingSet, "set" | "ms">[],
): number {
  const soakMs = soakedMs === 0 ? null : rings[openRings - 1]?.soakMs;
  const asked = new Map(baking.map(({ set, ms }) => [set, ms]));
  const left = [
    (soakMs ?? Number.POSITIVE_INFINITY) - soakedMs,
    ...bakes.map(({ set, healthyForMs }) => (asked.get(set) ?? Number.POSITIVE_INFINITY) - healthyForMs),
  ];
  // What is over waits for something else: a window, its wave.
  return Math.min(Number.POSITIVE_INFINITY, ...left.filter((ms) => ms > 0));
}
