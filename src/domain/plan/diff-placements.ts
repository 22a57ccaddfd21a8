import { unitKind } from "../cluster/health-table.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import { effectOfFiles } from "../unit/unit-effect.ts";
import { type CarriedUnit, carriedAlong } from "./carried-along.ts";
import type { KnownFiles } from "./known-files.ts";
import { type Change, type ChangeReason, EFFECTS, type Effect, type Side } from "./plan.ts";

/**
 * What leads from the placements of now to the wanted ones, and what systemd restarts along with it. `foreign`: the machines that run
 * units of others by these names. Sorted: worst effect first, then by
 * unit and machine.
 */
export function diffPlacements(
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
  after: readonly Placement[],
  spec: ClusterSpec,
  files: KnownFiles,
  foreign: ReadonlyMap<UnitName, readonly MachineId[]>,
): Change[] {
  const units = unitsByName(spec.units);
  const wanted = new Map<UnitName, Placement[]>();
  for (const placement of after) {
    const others = wanted.get(placement.unit);
    if (others === undefined) wanted.set(placement.unit, [placement]);
    else others.push(placement);
  }
  const changes = [...new Set([...before.keys(), ...wanted.keys()])].flatMap((unit) =>
    changesOfUnit(
      unit,
      units.get(unit) ?? null,
      before.get(unit) ?? [],
      wanted.get(unit) ?? [],
      files,
      foreign.get(unit) ?? [],
    ),
  );
  return withCarried(changes, after, spec).sort(inOrder);
}

/** A unit that goes down with another restarts, whether or not its own files ask for less. */
function withCarried(changes: readonly Change[], after: readonly Placement[], spec: ClusterSpec): Change[] {
  const carried = new Map(carriedAlong(changes, after, spec).map((one) => [`${one.unit}/${one.side.machine}`, one]));
  if (carried.size === 0) return [...changes];
  const own = changes.map((change): Change => {
    const key = `${change.unit}/${machineOf(change)}`;
    const one = carried.get(key);
    if (one === undefined) return change;
    carried.delete(key);
    return { ...change, ...goesDown(one) };
  });
  const others = [...carried.values()].map(
    (one): Change => ({ action: "change", ...goesDown(one), unit: one.unit, from: one.side, to: one.side }),
  );
  return [...own, ...others];
}

function goesDown({ with: unit, comesBack }: CarriedUnit): Pick<Change, "effect" | "reason"> {
  return comesBack
    ? { effect: "restart", reason: { code: "restart-with", unit } }
    : { effect: "stop", reason: { code: "stopped-with", unit } };
}

function changesOfUnit(
  unit: UnitName,
  spec: SpecUnit | null,
  before: readonly PlacedSide[],
  after: readonly Placement[],
  files: KnownFiles,
  foreign: readonly MachineId[],
): Change[] {
  const [only, next] = [before[0], after[0]];
  const isSingle = before.length === 1 && after.length === 1 && spec?.options.global === false;
  if (isSingle && only!.machine !== next!.machine) {
    const reason: ChangeReason = { code: "moved", placed: next!.reason };
    return [{ action: "move", effect: "move", unit, from: only!, to: sideOf(next!), reason }];
  }
  const changes: Change[] = [];
  for (const placement of after) {
    const here = before.find((side) => side.machine === placement.machine) ?? null;
    const change =
      here === null ? arriving(placement, before.length > 0, spec, foreign) : changing(here, placement, spec!, files);
    if (change !== null) changes.push(change);
  }
  const kept = new Set<MachineId>(after.map((placement) => placement.machine));
  for (const side of before) if (!kept.has(side.machine)) changes.push(leaving(unit, spec, side));
  return changes;
}

function arriving(
  placement: Placement,
  isElsewhere: boolean,
  spec: SpecUnit | null,
  foreign: readonly MachineId[],
): Change {
  if (spec?.adopt === true && foreign.includes(placement.machine)) return takingOver(placement, spec, foreign);
  const reason: ChangeReason = isElsewhere
    ? { code: "machine-joined" }
    : { code: "new-unit", placed: placement.reason };
  const effect = placement.goal === "launched" ? "start" : "quiet";
  return { action: "add", effect, unit: placement.unit, from: null, to: sideOf(placement), reason };
}

/** A global unit is to run on the others as well: nothing is left over there. */
function takingOver(placement: Placement, { options }: SpecUnit, foreign: readonly MachineId[]): Change {
  const others = options.global ? [] : foreign.filter((machine) => machine !== placement.machine).sort();
  const reason: ChangeReason = { code: "runs-here", others };
  return { action: "adopt", effect: "adopt", unit: placement.unit, from: null, to: sideOf(placement), reason };
}

function changing(from: PlacedSide, placement: Placement, spec: SpecUnit, files: KnownFiles): Change | null {
  const to = sideOf(placement);
  const { unit } = placement;
  if (from.goal !== to.goal) {
    const effect = to.goal === "launched" ? "start" : "stop";
    return { action: "change", effect, unit, from, to, reason: { code: "goal-changed" } };
  }
  if (from.hash === to.hash) return null;
  const [old, next] = [files(unit, from.machine, from.hash), files(unit, to.machine, to.hash)];
  const known = old === null || next === null ? null : effectOfFiles(unit, old, next);
  const effect = effectOnRunning(known?.effect ?? "restart", placement, spec);
  return { action: "change", effect, unit, from, to, reason: { code: "files-changed", causes: known?.causes ?? null } };
}

/** A oneshot that fleet does not start (its timer does) takes other files at its next run; none is cut short or begun for them. */
function effectOnRunning(effect: Effect, { goal }: Placement, spec: SpecUnit): Effect {
  const waits = goal === "loaded" && unitKind(spec) === "oneshot";
  return waits && effect === "restart" ? "daemon-reload" : effect;
}

function leaving(unit: UnitName, spec: SpecUnit | null, from: PlacedSide): Change {
  const code = spec === null ? "gone-from-commit" : spec.goal === "inactive" ? "goal-changed" : "no-longer-fits";
  return { action: "remove", effect: "stop", unit, from, to: null, reason: { code } };
}

function sideOf({ machine, hash, goal }: Placement): Side {
  return { machine, hash, goal };
}

function inOrder(a: Change, b: Change): number {
  const rank = (change: Change) => EFFECTS.indexOf(change.effect);
  return rank(a) - rank(b) || compareText(a.unit, b.unit) || compareText(machineOf(a), machineOf(b));
}

/** Where the change happens: where the unit will be, or where it was if it goes. */
export function machineOf(change: Pick<Change, "from" | "to">): MachineId {
  return (change.to ?? change.from)!.machine;
}
