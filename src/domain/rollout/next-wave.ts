import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import { machineOf } from "../plan/diff-placements.ts";
import { orderSteps } from "./order-steps.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";
import { ReplicaSets } from "./replica-sets.ts";
import { rolloutSteps } from "./rollout-steps.ts";
import { WaveMaker } from "./wave-maker.ts";

export interface NextWave {
  /**
   * What is to be on each machine now: of changes that are held, what is there already; with the goal `inactive` where it is to be
   * stopped first, because it moves. Sorted as `after` is.
   */
  readonly placements: readonly Placement[];
  readonly made: readonly RolloutChange[];
  /** Changes whose wave has not come, and those of this one that wait for a machine to let go. */
  readonly held: readonly RolloutChange[];
  /** Of those held, what waits for a machine to be ready: nothing is taken down for it. */
  readonly unprepared: readonly Unprepared[];
  /** Sets whose canaries have all been changed and whose others wait for `isBaked`; sorted by set. */
  readonly baking: readonly BakingSet[];
}

export interface Unprepared {
  readonly change: RolloutChange;
  readonly machine: MachineId;
}

export interface BakingSet {
  /** As `WaveBudget.set`. */
  readonly set: string;
  /** Milliseconds for which its canaries must be healthy. */
  readonly ms: number;
  /** Its canaries: replicas that have the new version by now. */
  readonly canaries: readonly { readonly unit: UnitName; readonly machine: MachineId }[];
}

/**
 * The first of the waves that `planRollout` makes, as far as it needs no force: asked again and again with what runs meanwhile, it leads
 * through all of them and remembers nothing. A set with a replica that is as wanted and not up gives nobody else: its last wave is not
 * over, or has failed. `mustWait`: whether what changes together waits for another machine, see `handOffs`. `awaited`: the machine
 * that must be ready for it first, see `prepareGate`.
 */
export function nextWave(
  input: RolloutInput,
  mustWait: (step: readonly RolloutChange[]) => boolean,
  awaited: (step: readonly RolloutChange[]) => MachineId | null = () => null,
): NextWave {
  if (input.changes.length === 0) return { placements: input.after, made: [], held: [], unprepared: [], baking: [] };
  const sets = new ReplicaSets(input);
  const unprepared: Unprepared[] = [];
  const handedOver = new Set<string>();
  const waits = (step: readonly RolloutChange[]): boolean => {
    const machine = awaited(step);
    if (machine !== null) {
      for (const change of step) unprepared.push({ change, machine });
      return true;
    }
    if (!mustWait(step)) return false;
    for (const change of step) handedOver.add(keyOf(change));
    return true;
  };
  const { going, waiting, gates } = new WaveMaker(orderSteps(rolloutSteps(input), sets, input)).first(waits);
  const made = new Set(going.map(keyOf));
  // What waits behind others in its wave is stopped along with them, unless one of them is not ready: then only what is handed over.
  const isReleased = (change: RolloutChange) => unprepared.length === 0 || handedOver.has(keyOf(change));
  const released = new Set(waiting.filter((change) => isMove(change) && isReleased(change)).map(keyOf));
  const held = input.changes.filter((change) => !made.has(keyOf(change)));
  const placements = new Map(input.after.map((placement) => [`${placement.unit}/${placement.machine}`, placement]));
  for (const { unit, to } of held) if (to !== null) placements.delete(`${unit}/${to.machine}`);
  for (const change of held) {
    const { unit, from } = change;
    if (from === null) continue;
    const goal = released.has(keyOf(change)) ? "inactive" : from.goal;
    placements.set(`${unit}/${from.machine}`, { unit, ...from, goal, reason: { code: "stayed" } });
  }
  return {
    placements: [...placements.values()].sort(
      (a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine),
    ),
    made: going,
    held,
    unprepared,
    baking: gates.map(({ set, ms, changed }) => ({ set, ms, canaries: changed })),
  };
}

/** Of a unit that has one machine before and another after. */
export function isMove({ from, to }: RolloutChange): boolean {
  return from !== null && to !== null && from.machine !== to.machine;
}

function keyOf(change: RolloutChange): string {
  return `${change.unit}/${machineOf(change)}`;
}
