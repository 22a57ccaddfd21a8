import type { MachineId } from "../names.ts";
import type { LossThresholds } from "./damping.ts";
import type { Flaps } from "./loss-history.ts";
import type { Flapping } from "./loss-verdict.ts";
import { isOutage } from "./outage.ts";

/**
 * What is known of machines that come and go, after this look. `returned`: those that were missed, for no reason we know of, and are
 * back now. The third within the window begins a hold; every further one before the machine has been well for a whole window after
 * its hold doubles it. What is old is forgotten.
 */
export function countFlaps(
  known: ReadonlyMap<MachineId, Flaps>,
  returned: readonly MachineId[],
  nowMs: number,
  thresholds: LossThresholds,
): ReadonlyMap<MachineId, Flaps> {
  const { flapWindowMs } = thresholds;
  const isOver = ({ losses, untilMs }: Flaps) => losses.length === 0 && nowMs >= untilMs + flapWindowMs;
  const aged = [...known].map(([machine, flaps]): [MachineId, Flaps] => {
    const losses = flaps.losses.filter((atMs) => atMs > nowMs - flapWindowMs);
    return [machine, losses.length === flaps.losses.length ? flaps : { ...flaps, losses }];
  });
  const now = new Map(aged.filter(([, flaps]) => !isOver(flaps)));
  for (const machine of returned) now.set(machine, lossOf(now.get(machine), nowMs, thresholds));
  return new Map([...now].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lossOf(known: Flaps | undefined, nowMs: number, thresholds: LossThresholds): Flaps {
  const { losses: before, holds, untilMs } = known ?? { losses: [], holds: 0, untilMs: Number.NEGATIVE_INFINITY };
  const losses = [...before, nowMs];
  if (losses.length < thresholds.flapAt && holds === 0) return { losses, holds, untilMs };
  const holdMs = Math.min(thresholds.flapHoldMs * 2 ** holds, thresholds.flapHoldMaxMs);
  return { losses, holds: holds + 1, untilMs: nowMs + holdMs };
}

/**
 * Those that are held now; sorted. Where so many flap as would be an outage, the cause is not theirs (a switch, the registry), and
 * keeping all of them out would leave nothing to place on.
 */
export function flappingNow(
  known: ReadonlyMap<MachineId, Flaps>,
  machines: number,
  nowMs: number,
  thresholds: LossThresholds,
): ReadonlyMap<MachineId, Flapping> {
  const held = [...known].filter(([, { untilMs }]) => nowMs < untilMs);
  const cordons = !isOutage(held.length, machines, thresholds);
  return new Map(held.map(([machine, { losses, untilMs }]) => [machine, { losses: losses.length, untilMs, cordons }]));
}
