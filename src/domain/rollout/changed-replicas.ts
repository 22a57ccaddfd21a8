import type { Machine } from "../cluster/machine.ts";
import type { MachineId, Sha256, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import { effectOfFiles } from "../unit/unit-effect.ts";
import { type BaseSpec, baseVersions, type Version } from "./base-versions.ts";
import type { Replica } from "./rollout-record.ts";

export interface ChangedInput {
  /** Of the release that everything goes to. */
  readonly spec: ClusterSpec;
  /** What it goes away from: of a rollout forwards the base, of one back the release that failed. */
  readonly from: BaseSpec;
  /** `placedNow`. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  readonly machines: readonly Machine[];
  readonly sha256: Sha256;
}

/**
 * Replicas that are placed as this release has them, where what was before did not: told by what is assigned, so that whoever takes over
 * knows as much as who led. What the change does not touch (a comment, a description) has changed nothing whose health would tell of
 * it. What goes down with a unit of its group goes with it. Sorted by unit, then machine.
 */
export function changedReplicas({ spec, from, before, machines, sha256 }: ChangedInput): readonly Replica[] {
  const units = unitsByName(spec.units);
  const to = baseVersions(spec, machines, sha256);
  const isChanged = changes(spec, from, machines, sha256);
  const placed: Replica[] = [];
  const groups = new Set<string>();
  const groupOf = ({ unit, machine }: Replica) => `${units.get(unit)!.group}\0${machine}`;
  for (const [name, sides] of before) {
    const unit = units.get(name);
    if (unit === undefined) continue;
    for (const { machine, hash, goal } of sides) {
      const wanted = to.on(name, machine);
      if (wanted === null || wanted.hash !== hash || wanted.goal !== goal) continue;
      const replica = { unit: name, machine };
      placed.push(replica);
      if (isChanged(unit, machine, wanted)) groups.add(groupOf(replica));
    }
  }
  return placed.filter((replica) => groups.has(groupOf(replica)));
}

/** Whether a unit has come to a machine, or its processes have to notice that it is another. */
function changes(
  spec: ClusterSpec,
  from: BaseSpec,
  machines: readonly Machine[],
  sha256: Sha256,
): (unit: SpecUnit, machine: MachineId, to: Version) => boolean {
  const versions = baseVersions(from, machines, sha256);
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  const known = effectsBetween(spec, from);
  return (unit, machine, to) => {
    const old = versions.unit(unit.name);
    const was = versions.on(unit.name, machine);
    if (old === null || was === null) return true;
    if (was.goal !== to.goal) return true;
    if (was.hash === to.hash) return false;
    const key = `${unit.name} ${was.hash} ${to.hash}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const name = names.get(machine) ?? null;
    const files = (one: SpecUnit, of: ClusterSpec) => unitOnMachine(one, name, of, sha256).files;
    const { effect } = effectOfFiles(unit.name, files(old, from as ClusterSpec), files(unit, spec));
    const is = effect === "restart" || effect === "reload";
    known.set(key, is);
    return is;
  };
}

/** What a change does is read from the text of two units, and asked at every pass. */
const remembered = new WeakMap<ClusterSpec, { readonly from: BaseSpec; readonly effects: Map<string, boolean> }>();

function effectsBetween(spec: ClusterSpec, from: BaseSpec): Map<string, boolean> {
  const known = remembered.get(spec);
  if (known?.from === from) return known.effects;
  const effects = new Map<string, boolean>();
  remembered.set(spec, { from, effects });
  return effects;
}

/**
 * What is not yet as the release has it: units of it that are placed in another version or nowhere, and what it has no more. Where a unit is
 * says nothing: moves go on in every phase, and end no rollout. Sorted by unit, then machine.
 */
export function leftToChange(
  { spec, machines, sha256 }: Pick<ChangedInput, "spec" | "machines" | "sha256">,
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
  wanted: readonly { readonly unit: UnitName; readonly machine: MachineId }[],
): readonly Replica[] {
  const names = new Map(machines.map(({ id, name }) => [id, { name }]));
  const hashOf = unitHashes(spec, sha256);
  const units = unitsByName(spec.units);
  const left: Replica[] = [];
  const wantedUnits = new Set<UnitName>();
  const isThere = new Set<string>();
  for (const { unit, machine } of wanted) {
    wantedUnits.add(unit);
    isThere.add(`${unit}/${machine}`);
    const sides = before.get(unit) ?? [];
    const isGlobal = units.get(unit)?.options.global === true;
    const at = sides.find((side) => side.machine === machine) ?? (isGlobal ? undefined : sides[0]);
    if (at === undefined) left.push({ unit, machine });
    else if (!isAs(units.get(unit)!, at)) left.push({ unit, machine: at.machine });
  }
  for (const [unit, sides] of before) {
    const isLeaving = !wantedUnits.has(unit);
    const isGlobal = units.get(unit)?.options.global === true;
    for (const { machine } of sides) {
      if (isLeaving || (isGlobal && !isThere.has(`${unit}/${machine}`))) left.push({ unit, machine });
    }
  }
  return left.sort((a, b) => (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : a.machine < b.machine ? -1 : 1));

  function isAs(unit: SpecUnit, { machine, hash, goal }: PlacedSide): boolean {
    return hash === hashOf(unit, names.get(machine) ?? null) && (goal === unit.goal || goal === "inactive");
  }
}
