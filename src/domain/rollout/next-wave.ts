import { compareText } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import { machineOf } from "../plan/diff-placements.ts";
import { orderSteps } from "./order-steps.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";
import { ReplicaSets } from "./replica-sets.ts";
import { rolloutSteps } from "./rollout-steps.ts";
import { WaveMaker } from "./wave-maker.ts";

export interface NextWave {
  /** What is to be on each machine now: of changes whose wave has not come, what is there already. Sorted as `after` is. */
  readonly placements: readonly Placement[];
  readonly made: readonly RolloutChange[];
  /** Changes whose wave has not come. */
  readonly held: readonly RolloutChange[];
}

/**
 * The first of the waves that `planRollout` makes, as far as it needs no force: asked again and again with what runs meanwhile, it leads
 * through all of them and remembers nothing. A set with a replica that is as wanted and not up gives nobody else: its last wave is not
 * over, or has failed.
 */
export function nextWave(input: RolloutInput): NextWave {
  const sets = new ReplicaSets(input);
  const made = new WaveMaker(orderSteps(rolloutSteps(input), sets, input)).first();
  const allowed = new Set(made.map(keyOf));
  const held = input.changes.filter((change) => !allowed.has(keyOf(change)));
  const placements = new Map(input.after.map((placement) => [`${placement.unit}/${placement.machine}`, placement]));
  for (const { unit, to } of held) if (to !== null) placements.delete(`${unit}/${to.machine}`);
  for (const { unit, from } of held) {
    if (from !== null) placements.set(`${unit}/${from.machine}`, { unit, ...from, reason: { code: "stayed" } });
  }
  return {
    placements: [...placements.values()].sort(
      (a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine),
    ),
    made,
    held,
  };
}

function keyOf(change: RolloutChange): string {
  return `${change.unit}/${machineOf(change)}`;
}
