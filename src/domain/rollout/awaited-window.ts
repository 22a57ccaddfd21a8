import type { RingGates } from "./judge-rollout.ts";
import type { Replica, RolloutRecord } from "./rollout-record.ts";

/**
 * The ring, by its index, of which a rollout that goes on waits for the window and for nothing else that it can do meanwhile; null: it waits for
 * none. `left`: what it has still to change.
 */
export function awaitedWindow(
  { phase, openRings, soakedMs }: Pick<RolloutRecord, "phase" | "openRings" | "soakedMs">,
  left: readonly Replica[],
  { ringOf, soakMs, isOpen }: Pick<RingGates, "ringOf" | "soakMs" | "isOpen">,
): number | null {
  if (phase !== "rolling") return null;
  const unfinished = [...new Set(left.map(({ machine }) => ringOf(machine)))].sort((a, b) => a - b);
  const [first] = unfinished.filter((ring) => ring < openRings);
  if (first !== undefined) return unfinished.some((ring) => ring < openRings && isOpen(ring)) ? null : first;
  const isSoaking = soakedMs > 0 && soakedMs < soakMs(openRings - 1);
  return isSoaking || !unfinished.includes(openRings) || isOpen(openRings) ? null : openRings;
}
