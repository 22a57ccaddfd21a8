import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { Change } from "../plan/plan.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { BudgetRefusal, Wave } from "./wave.ts";

export interface RolloutInput {
  readonly spec: ClusterSpec;
  /** `placedNow` of the snapshot. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  readonly after: readonly Placement[];
  readonly changes: readonly Pick<Change, "unit" | "effect" | "from" | "to">[];
  /** Whether a unit that is placed there does not run: its machine is away. */
  readonly isDown: (unit: UnitName, machine: MachineId) => boolean;
}

export interface Rollout {
  readonly waves: readonly Wave[];
  readonly refusals: readonly BudgetRefusal[];
}

/** Which changes happen together, one wave after another. */
export function planRollout({ changes }: RolloutInput): Rollout {
  const all = changes.map(({ unit, from, to }) => ({ unit, machine: (to ?? from)!.machine }));
  all.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
  return { waves: all.length === 0 ? [] : [{ changes: all, budgets: [] }], refusals: [] };
}
