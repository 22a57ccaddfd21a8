import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { Change } from "../plan/plan.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { BaseVersions } from "./base-versions.ts";
import { orderSteps } from "./order-steps.ts";
import { ReplicaSets } from "./replica-sets.ts";
import { rolloutSteps } from "./rollout-steps.ts";
import type { BudgetRefusal, Wave } from "./wave.ts";
import { WaveMaker } from "./wave-maker.ts";

export interface RolloutInput {
  readonly spec: ClusterSpec;
  /** The spec of the release in force, or null where it is not known here: then what goes is not ordered, and goes on its own. */
  readonly released: ClusterSpec | null;
  /** `placedNow` of the snapshot. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  readonly after: readonly Placement[];
  readonly changes: readonly RolloutChange[];
  /** Whether nobody hears of that machine: it is not present, or no member at all. */
  readonly isAway: (machine: MachineId) => boolean;
  /** Whether everything on that machine is to be counted as down: it may restart at any moment, or does. Absent: no machine does. */
  readonly isLeaving?: (machine: MachineId) => boolean;
  /** How a unit does on a machine that is not away; a plan takes what is placed for up. */
  readonly stateOf: (unit: UnitName, machine: MachineId) => ReplicaState;
  /** What canaries are chosen by. Absent: no set changes some of its replicas before others. */
  readonly canaries?: CanaryInput;
}

export interface CanaryInput {
  /** By the release before: what was not there is no canary, nor is what the commit leaves as it was. */
  readonly base: BaseVersions;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  /** Whether the canaries of a set (as `WaveBudget.set`) were healthy for as long as it asks. A plan: of none, it takes each bake for passed in its turn. */
  readonly isBaked: (set: string) => boolean;
}

/**
 * `settling` is up, and not for long enough; `starting` is not up, and may come; `down` will not come by itself. `unknown` is taken for
 * up, and nobody of its set goes down.
 */
export type ReplicaState = "up" | "settling" | "starting" | "down" | "unknown";

export type RolloutChange = Pick<Change, "unit" | "effect" | "from" | "to" | "reason">;

export interface Rollout {
  readonly waves: readonly Wave[];
  readonly refusals: readonly BudgetRefusal[];
}

/**
 * Which changes happen together, one wave after another. The same changes in any order give the same waves.
 *
 * 1. A step is what changes together: the changes of a group, of a global group on one machine.
 * 2. A wave takes, by name, every step whose predecessors are done (see `orderSteps`) and that leaves each set of replicas within its
 *    budget: of those that are wanted and were there, at most `maxUnavailable` down, those that are down already included.
 * 3. Where no step fits, those go that leave no set with fewer up than now. Where there is none either, one goes for each set
 *    that blocks, and is refused: the film is complete, and says what would be the worst of it.
 */
export function planRollout(input: RolloutInput): Rollout {
  const sets = new ReplicaSets(input);
  return new WaveMaker(orderSteps(rolloutSteps(input), sets, input)).all();
}
