import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { CHANGE_ACTIONS, type Change, type ChangeReason, type Side } from "./plan.ts";

/** What leads from the placements of now to the wanted ones. Sorted: worst first, then by unit and machine. */
export function diffPlacements(
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
  after: readonly Placement[],
  spec: ClusterSpec,
): Change[] {
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const wanted = new Map<UnitName, Placement[]>();
  for (const placement of after) {
    const others = wanted.get(placement.unit);
    if (others === undefined) wanted.set(placement.unit, [placement]);
    else others.push(placement);
  }
  const changes = [...new Set([...before.keys(), ...wanted.keys()])].flatMap((unit) =>
    changesOfUnit(unit, units.get(unit) ?? null, before.get(unit) ?? [], wanted.get(unit) ?? []),
  );
  return changes.sort(inOrder);
}

function changesOfUnit(
  unit: UnitName,
  spec: SpecUnit | null,
  before: readonly PlacedSide[],
  after: readonly Placement[],
): Change[] {
  const [only, next] = [before[0], after[0]];
  const isSingle = before.length === 1 && after.length === 1 && spec?.options.global === false;
  if (isSingle && only!.machine !== next!.machine) {
    const reason: ChangeReason = { code: "moved", placed: next!.reason };
    return [{ action: "move", unit, from: only!, to: sideOf(next!), reason }];
  }
  const changes: Change[] = [];
  for (const placement of after) {
    const here = before.find((side) => side.machine === placement.machine) ?? null;
    const change = here === null ? arriving(placement, before.length > 0) : changing(here, placement);
    if (change !== null) changes.push(change);
  }
  const kept = new Set<MachineId>(after.map((placement) => placement.machine));
  for (const side of before) if (!kept.has(side.machine)) changes.push(leaving(unit, spec, side));
  return changes;
}

function arriving(placement: Placement, isElsewhere: boolean): Change {
  const reason: ChangeReason = isElsewhere
    ? { code: "machine-joined" }
    : { code: "new-unit", placed: placement.reason };
  const action = placement.goal === "launched" ? "start" : "load";
  return { action, unit: placement.unit, from: null, to: sideOf(placement), reason };
}

function changing(from: PlacedSide, placement: Placement): Change | null {
  const to = sideOf(placement);
  if (from.hash === to.hash && from.goal === to.goal) return null;
  const change = { unit: placement.unit, from, to };
  if (from.goal !== to.goal) {
    const action = to.goal === "launched" ? "start" : "stop";
    return { action, ...change, reason: { code: "goal-changed" } };
  }
  return { action: to.goal === "launched" ? "restart" : "load", ...change, reason: { code: "files-changed" } };
}

function leaving(unit: UnitName, spec: SpecUnit | null, from: PlacedSide): Change {
  if (spec === null) return { action: "remove", unit, from, to: null, reason: { code: "gone-from-commit" } };
  const code = spec.goal === "inactive" ? "goal-changed" : "no-longer-fits";
  return { action: "stop", unit, from, to: null, reason: { code } };
}

function sideOf({ machine, hash, goal }: Placement): Side {
  return { machine, hash, goal };
}

function inOrder(a: Change, b: Change): number {
  const rank = (change: Change) => CHANGE_ACTIONS.indexOf(change.action);
  return rank(a) - rank(b) || compareText(a.unit, b.unit) || compareText(machineOf(a), machineOf(b));
}

/** Where the change happens: where the unit will be, or where it was if it goes. */
export function machineOf(change: Change): MachineId {
  return (change.to ?? change.from)!.machine;
}
