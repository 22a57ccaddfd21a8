import { matchesSelector } from "../cluster/selector.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { Canary, SpecUnit } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { CanaryInput, RolloutChange, RolloutInput } from "./plan-rollout.ts";

/** What of a set of replicas waits for its canaries. */
export interface CanaryGate {
  /** As `WaveBudget.set`. */
  readonly set: string;
  /** Milliseconds for which they must be healthy. */
  readonly ms: number;
  /** Steps, by number, in which canaries change. None: they have all been changed, and bake. */
  readonly first: readonly number[];
  /** Steps that change others of the set. */
  readonly others: readonly number[];
  /** Replicas that have the new version by now; sorted by unit, then machine. */
  readonly changed: readonly Replica[];
}

interface Replica {
  readonly unit: UnitName;
  readonly machine: MachineId;
}

/**
 * The sets whose canaries change first. A canary is a replica the base had and the commit changes: so a first installation has none, and
 * of a number those that have the new version already count. What brings a version that is not the base's waits for them, but for what
 * is placed anew because its machine is away. A step that changes a canary waits for no other set's: they are tied to each other.
 * Sorted by set.
 */
export function canaryGates(steps: readonly (readonly RolloutChange[])[], input: RolloutInput): readonly CanaryGate[] {
  const { canaries } = input;
  const policies = canaries === undefined ? new Map<string, Policy>() : policiesOf(input.spec.units);
  if (canaries === undefined || policies.size === 0) return [];
  const replicas = Map.groupBy(input.after, ({ unit }) => replicaSetOf(unit));
  const chosen = [...policies]
    .filter(([set]) => !canaries.isBaked(set))
    .map(([set, policy]) => ({ set, policy, ...choose(replicas.get(set) ?? [], policy.canary, input, canaries) }));
  const { first, others } = stepsOf(steps, new Set(chosen.flatMap((one) => one.pending)), input, canaries);
  return chosen
    .map(
      ({ set, policy, changed }): CanaryGate => ({
        set,
        ms: policy.bakeMs,
        first: first.get(set) ?? [],
        others: others.get(set) ?? [],
        changed,
      }),
    )
    .filter((gate) => gate.others.length > 0 && gate.first.length + gate.changed.length > 0)
    .sort((one, other) => compareText(one.set, other.set));
}

type StepsOfSets = ReadonlyMap<string, readonly number[]>;

/** By set, the steps in which canaries that are still to change do, and those in which others do. */
function stepsOf(
  steps: readonly (readonly RolloutChange[])[],
  pending: ReadonlySet<string>,
  input: RolloutInput,
  canaries: CanaryInput,
): { readonly first: StepsOfSets; readonly others: StepsOfSets } {
  const first = new Map<string, number[]>();
  const others = new Map<string, number[]>();
  const add = (map: Map<string, number[]>, set: string, number: number) => {
    const known = map.get(set);
    if (known === undefined) map.set(set, [number]);
    else if (known.at(-1) !== number) known.push(number);
  };
  steps.forEach((step, number) => {
    const isCanary = ({ unit, to }: RolloutChange) => to !== null && pending.has(keyOf(unit, to.machine));
    const own = step.filter(isCanary);
    for (const { unit } of own) add(first, replicaSetOf(unit), number);
    if (own.length > 0) return;
    for (const change of step) if (isOther(change, input, canaries)) add(others, replicaSetOf(change.unit), number);
  });
  return { first, others };
}

interface Policy {
  /** The first one's by unit name. */
  readonly canary: Canary;
  /** The longest. */
  readonly bakeMs: number;
}

function policiesOf(units: readonly SpecUnit[]): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  const inOrder = units
    .filter(({ rollout }) => rollout.canary !== undefined)
    .sort((a, b) => compareText(a.name, b.name));
  for (const { name, rollout } of inOrder) {
    const known = policies.get(replicaSetOf(name));
    policies.set(replicaSetOf(name), {
      canary: known?.canary ?? rollout.canary!,
      bakeMs: Math.max(known?.bakeMs ?? 0, rollout.bakeMs ?? 0),
    });
  }
  return policies;
}

/** The canaries of a set that are still to change, and the replicas that have changed. */
function choose(
  replicas: readonly Placement[],
  canary: Canary,
  input: RolloutInput,
  canaries: CanaryInput,
): { readonly pending: readonly string[]; readonly changed: readonly Replica[] } {
  const candidates = replicas
    .filter((placement) => isCandidate(placement, input, canaries))
    .sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
  const eligible =
    "count" in canary ? candidates : candidates.filter(({ machine }) => isMatched(machine, canary, canaries));
  const isChanged = ({ unit, machine, hash, goal }: Placement) =>
    input.before.get(unit)?.some((side) => side.machine === machine && side.hash === hash && side.goal === goal) ===
    true;
  const changed = eligible.filter(isChanged);
  const left = eligible.filter((placement) => !isChanged(placement));
  // Of a number, whoever can be looked at: a machine that is away says nothing of a new version.
  const pending =
    "count" in canary
      ? left.filter(({ machine }) => !input.isAway(machine)).slice(0, Math.max(0, canary.count - changed.length))
      : left;
  return {
    pending: pending.map(({ unit, machine }) => keyOf(unit, machine)),
    changed: changed.map(({ unit, machine }) => ({ unit, machine })),
  };
}

function isMatched(id: MachineId, canary: Extract<Canary, { match: unknown }>, { machines }: CanaryInput): boolean {
  return machines.some((machine) => machine.id === id && matchesSelector(canary.match, machine));
}

function isCandidate(
  { unit, machine, hash, goal }: Placement,
  { before }: RolloutInput,
  { base }: CanaryInput,
): boolean {
  if (!base.isKnown) return before.has(unit);
  const was = base.on(unit, machine);
  return was !== null && (was.hash !== hash || was.goal !== goal);
}

function isOther({ unit, from, to }: RolloutChange, { isAway }: RolloutInput, { base }: CanaryInput): boolean {
  if (to === null || (from !== null && isAway(from.machine))) return false;
  if (from?.hash === to.hash && from.goal === to.goal) return false;
  const was = base.on(unit, to.machine);
  return was === null || was.hash !== to.hash || was.goal !== to.goal;
}

function keyOf(unit: UnitName, machine: MachineId): string {
  return `${unit}/${machine}`;
}
