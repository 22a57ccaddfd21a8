import { compareText, type MachineId, type UnitName } from "../names.ts";
import { machineOf } from "../plan/diff-placements.ts";
import type { ChangeReason } from "../plan/plan.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";

/**
 * What changes together: everything of a group, of a global one on one machine; and what systemd restarts along with any of it. A unit
 * that the commit no longer has goes with the group it was in, where that is known here, else alone. Sorted by the group's name, then
 * machine; within a step by unit, then machine.
 */
export function rolloutSteps({
  spec,
  released,
  changes,
}: Pick<RolloutInput, "spec" | "released" | "changes">): RolloutChange[][] {
  const ofUnit = stepKeys(released === null ? [spec] : [released, spec]);
  const keyOf = withCarried((change) => ofUnit(change.unit, machineOf(change)), changes);
  const steps = new Map<string, RolloutChange[]>();
  const inOrder = [...changes].sort((a, b) => compareText(a.unit, b.unit) || compareText(machineOf(a), machineOf(b)));
  for (const change of inOrder) {
    const key = keyOf(change);
    const others = steps.get(key);
    if (others === undefined) steps.set(key, [change]);
    else others.push(change);
  }
  return [...steps].sort(([a], [b]) => compareText(a, b)).map(([, step]) => step);
}

type StepKey = (change: RolloutChange) => string;

/** A unit that is only carried along is in the step of its leader; where it changes itself, its whole group is, as one of both names. */
function withCarried(keyOf: StepKey, changes: readonly RolloutChange[]): StepKey {
  const carried = changes.filter((change) => isCarrying(change.reason));
  if (carried.length === 0) return keyOf;
  const leaders = new Map<string, string>();
  for (const change of changes) {
    const side = change.from ?? change.to;
    if (side !== null) leaders.set(`${change.unit}/${side.machine}`, keyOf(change));
  }
  const leaderOf = ({ from, reason }: RolloutChange) =>
    isCarrying(reason) ? leaders.get(`${reason.unit}/${from?.machine}`) : undefined;
  const joined = new Map<string, string>();
  const rootOf = (key: string) => {
    let root = key;
    for (let next = joined.get(root); next !== undefined; next = joined.get(root)) root = next;
    return root;
  };
  for (const change of carried) {
    const leader = leaderOf(change);
    if (leader === undefined || isOnlyCarried(change)) continue;
    const [one, other] = [rootOf(keyOf(change)), rootOf(leader)].sort(compareText) as [string, string];
    if (one !== other) joined.set(other, one);
  }
  return (change) => rootOf(isOnlyCarried(change) ? (leaderOf(change) ?? keyOf(change)) : keyOf(change));
}

function isOnlyCarried({ reason, from, to }: RolloutChange): boolean {
  return isCarrying(reason) && from?.hash === to?.hash && from?.goal === to?.goal;
}

type CarryingReason = Extract<ChangeReason, { readonly code: "restart-with" | "stopped-with" }>;

function isCarrying(reason: ChangeReason): reason is CarryingReason {
  return reason.code === "restart-with" || reason.code === "stopped-with";
}

/** What lives together has one key: a group, a global one on one machine. The later spec has the last word on a unit. NUL sorts a group before every longer name. */
export function stepKeys(specs: readonly ClusterSpec[]): (unit: UnitName, machine: MachineId) => string {
  const units = new Map<UnitName, { readonly unit: SpecUnit; readonly isGlobal: boolean }>();
  for (const spec of specs) {
    const globals = new Set(spec.groups.filter((group) => group.global).map((group) => group.name));
    for (const unit of spec.units) units.set(unit.name, { unit, isGlobal: globals.has(unit.group) });
  }
  return (name, machine) => {
    const known = units.get(name);
    if (known === undefined) return `${name}\0${machine}`;
    return known.isGlobal ? `${known.unit.group}\0${machine}` : known.unit.group;
  };
}
