import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { compareText, type Sha256, type UnitName } from "../names.ts";
import { explainSeats } from "../placement/explain-seats.ts";
import { placeUnits } from "../placement/place-units.ts";
import type { Placement, RejectReason } from "../placement/placement.ts";
import type { ClusterSpec, Group, SpecUnit } from "../spec/cluster-spec.ts";

/**
 * Why no standalone machine runs a unit. `needs-engine`: nothing in its group says where it runs, so somebody would have to choose;
 * `needs-lease`: it runs at most once, and nobody is there who could say that it does.
 */
export type NotStandalone = "needs-engine" | "needs-lease";

/** What one machine runs of a commit when it follows git alone. */
export interface StandaloneSet {
  /** Sorted by unit. */
  readonly placements: readonly Placement[];
  /** Units the commit gives this machine, and that cannot run here; sorted by unit. */
  readonly refused: readonly RefusedHere[];
  /** Units no standalone machine runs; sorted by unit. */
  readonly left: readonly LeftOut[];
}

export interface RefusedHere {
  readonly unit: UnitName;
  readonly because: RejectReason;
}

export interface LeftOut {
  readonly unit: UnitName;
  readonly because: NotStandalone;
}

/** The group is for other machines: no trouble of this one's. */
const FOR_OTHERS: ReadonlySet<RejectReason["code"]> = new Set(["other-machine", "metadata"]);

/**
 * Which units the commit itself gives this machine: groups, whole, that are `Global=true`, pinned here by `MachineID=`, or selected by
 * `MachineMetadata=`. A selector means every machine it matches, because nobody is there to choose one of them. Neighbours that may not
 * meet are judged as an engine judges them; of two, the one that is in `now`, what the machine has already, stays.
 */
export function standaloneSet(
  spec: ClusterSpec,
  machine: Machine,
  now: readonly Pick<PlacedUnit, "unit">[],
  sha256: Sha256,
): StandaloneSet {
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const left: LeftOut[] = [];
  const groups = spec.groups.filter((group) => {
    const wanted = group.units.map((name) => units.get(name)!).filter(({ goal }) => goal !== "inactive");
    const because = notStandalone(group, wanted);
    if (because !== null) left.push(...wanted.map(({ name }) => ({ unit: name, because })));
    return because === null;
  });
  const names = new Set(groups.flatMap((group) => group.units));
  const own = { ...spec, groups, units: spec.units.filter(({ name }) => names.has(name)) };
  const { placements } = placeUnits({
    spec: own,
    machines: [machine],
    current: new Map(now.filter(({ unit }) => names.has(unit)).map(({ unit }) => [unit, [machine.id]])),
    preferred: new Map(),
    sha256,
  });
  const placed = new Set(placements.map(({ unit }) => unit));
  const seats = explainSeats(own, [machine], placements);
  const refused = groups.flatMap((group): RefusedHere[] => {
    if (group.units.some((unit) => placed.has(unit))) return [];
    const because = seats.rejectOn(group.name, machine.id);
    return because === null || FOR_OTHERS.has(because.code) ? [] : group.units.map((unit) => ({ unit, because }));
  });
  return { placements, refused: refused.sort(byUnit), left: left.sort(byUnit) };
}

function notStandalone(group: Group, units: readonly SpecUnit[]): NotStandalone | null {
  if (units.length === 0) return null;
  if (units.some(({ stopAfterMs }) => stopAfterMs !== undefined)) return "needs-lease";
  const isSaid = ({ options }: SpecUnit) => options.machineId !== null || options.machineMetadata.length > 0;
  return group.global || units.some(isSaid) ? null : "needs-engine";
}

function byUnit(a: { readonly unit: UnitName }, b: { readonly unit: UnitName }): number {
  return compareText(a.unit, b.unit);
}
