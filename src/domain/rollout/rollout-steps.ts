import { compareText, type UnitName } from "../names.ts";
import { machineOf } from "../plan/diff-placements.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";

/**
 * What changes together: everything of a group, of a global one on one machine. A unit that the commit no longer has goes with the
 * group it was in, where that is known here, else alone. Sorted by the group's name, then machine; within a step by unit, then machine.
 */
export function rolloutSteps({
  spec,
  released,
  changes,
}: Pick<RolloutInput, "spec" | "released" | "changes">): RolloutChange[][] {
  const keyOf = stepKeys(released === null ? [spec] : [released, spec]);
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

/** The later spec has the last word on a unit. NUL sorts a group before every longer name. */
function stepKeys(specs: readonly ClusterSpec[]): (change: RolloutChange) => string {
  const units = new Map<UnitName, { readonly unit: SpecUnit; readonly isGlobal: boolean }>();
  for (const spec of specs) {
    const globals = new Set(spec.groups.filter((group) => group.global).map((group) => group.name));
    for (const unit of spec.units) units.set(unit.name, { unit, isGlobal: globals.has(unit.group) });
  }
  return (change) => {
    const known = units.get(change.unit);
    if (known === undefined) return `${change.unit}\0${machineOf(change)}`;
    return known.isGlobal ? `${known.unit.group}\0${machineOf(change)}` : known.unit.group;
  };
}
