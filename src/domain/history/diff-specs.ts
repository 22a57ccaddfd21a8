import { canonicalJson, type Json } from "../canonical-json.ts";
import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import { diffPlacements } from "../plan/diff-placements.ts";
import type { KnownFiles } from "../plan/known-files.ts";
import { type Change, EFFECTS } from "../plan/plan.ts";
import type { ClusterSpec, SpecMachine, SpecUnit } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";

/** What two commits differ in, as far as a cluster notices. */
export interface SpecDiff {
  /**
   * By the table the plan goes by: what each would do to a unit that runs as the older commit has it. `from` and `to` name a machine of
   * `machines` where it gets files of its own, else any other. Worst first, then by unit and machine.
   */
  readonly changes: readonly Change[];
  /** Machines with files of their own in either commit; sorted by name. */
  readonly machines: readonly { readonly id: MachineId; readonly name: string }[];
  /** Units of both whose settings differ, with the manifest's names for these. Sorted by unit. */
  readonly settings: readonly { readonly unit: UnitName; readonly keys: readonly string[] }[];
  /** What differs of the cluster as a whole, by the manifest's keys; sorted. */
  readonly cluster: readonly string[];
}

/** The changes of units from one commit to another, on no machine in particular: nothing is placed, and nothing moves. */
export function diffSpecs(before: ClusterSpec, after: ClusterSpec, sha256: Sha256): SpecDiff {
  const groups = groupOfUnits(before, after);
  const own = ownFiles(before, after);
  const [old, now] = [before, after].map((spec) => placedIn(spec, groups, own, sha256));
  const files: KnownFiles = (unit, machine, hash) =>
    (old!.get(keyOf(unit, machine, hash)) ?? now!.get(keyOf(unit, machine, hash)))?.files ?? null;
  const changes = diffPlacements(sidesByUnit(old!), [...now!.values()].map(placementOf), after, files, NOBODY);
  const names = [...new Set([...own.values()].flatMap((machines) => [...machines]))].sort(compareText);
  return {
    changes: EFFECTS.flatMap((effect) => withoutEchoes(changes, groups).filter((change) => change.effect === effect)),
    machines: names.map((name) => ({ id: name as MachineId, name })),
    settings: settingsOf(before, after),
    cluster: clusterKeys(before, after),
  };
}

const NOBODY: ReadonlyMap<UnitName, readonly MachineId[]> = new Map();

/**
 * Stands for every machine that gets nothing of its own; one for each group, because only units of one group are certain to be together,
 * and systemd takes one down with another only there.
 */
function anyMachine(group: string): MachineId {
  return `machines: ${group}` as MachineId;
}

/** The later commit's word counts, so that a unit that comes to another group goes nowhere. */
function groupOfUnits(before: ClusterSpec, after: ClusterSpec): ReadonlyMap<UnitName, string> {
  return new Map([...before.units, ...after.units].map(({ name, group }) => [name, group]));
}

/** By the unit or the template they are for: the names of machines that get drop-ins of their own, in either commit. */
function ownFiles(before: ClusterSpec, after: ClusterSpec): ReadonlyMap<UnitName, ReadonlySet<string>> {
  const byUnit = new Map<UnitName, Set<string>>();
  for (const machine of [...before.machines, ...after.machines]) {
    if (machine.match !== null) continue;
    for (const { unit } of machine.dropins) byUnit.set(unit, (byUnit.get(unit) ?? new Set()).add(machine.key));
  }
  return byUnit;
}

interface VirtualPlace extends PlacedSide {
  readonly unit: UnitName;
  readonly files: ReturnType<typeof unitOnMachine>["files"];
}

function placedIn(
  spec: ClusterSpec,
  groups: ReadonlyMap<UnitName, string>,
  own: ReadonlyMap<UnitName, ReadonlySet<string>>,
  sha256: Sha256,
): ReadonlyMap<string, VirtualPlace> {
  const places = new Map<string, VirtualPlace>();
  const add = (unit: SpecUnit, machine: MachineId, name: string | null) => {
    const { hash, files } = unitOnMachine(unit, name, spec, sha256);
    places.set(keyOf(unit.name, machine, hash), { unit: unit.name, machine, hash, goal: unit.goal, files });
  };
  for (const unit of spec.units) {
    if (unit.goal === "inactive") continue;
    add(unit, anyMachine(groups.get(unit.name)!), null);
    const names = new Set([...(own.get(unit.name) ?? []), ...(own.get(unit.template ?? unit.name) ?? [])]);
    for (const name of [...names].sort(compareText)) add(unit, name as MachineId, name);
  }
  return places;
}

function keyOf(unit: UnitName, machine: MachineId, hash: string): string {
  return `${unit} ${machine} ${hash}`;
}

function sidesByUnit(places: ReadonlyMap<string, VirtualPlace>): ReadonlyMap<UnitName, readonly PlacedSide[]> {
  return Map.groupBy(
    [...places.values()].map(({ unit, machine, hash, goal }) => ({ unit, machine, hash, goal })),
    ({ unit }) => unit,
  );
}

function placementOf({ unit, machine, hash, goal }: VirtualPlace): Placement {
  return { unit, machine, hash, goal, reason: { code: "planned" } };
}

/** What a machine with files of its own gets as every other machine does is told once. */
function withoutEchoes(changes: readonly Change[], groups: ReadonlyMap<UnitName, string>): readonly Change[] {
  const wordOf = ({ unit, action, effect, reason }: Change) => JSON.stringify([unit, action, effect, reason]);
  const isAny = ({ unit, from, to }: Change) => (to ?? from)!.machine === anyMachine(groups.get(unit)!);
  const told = new Set(changes.filter(isAny).map(wordOf));
  return changes.filter((change) => isAny(change) || !told.has(wordOf(change)));
}

/** The manifest's names for what a unit is told there and not in its files. */
const UNIT_SETTINGS = {
  rollout: "rollout",
  adopt: "adopt",
  stopAfterMs: "onDisconnect",
  replace: "replace",
  drift: "drift",
  confirm: "confirm",
} as const satisfies Partial<Record<keyof SpecUnit, string>>;

function settingsOf(before: ClusterSpec, after: ClusterSpec): SpecDiff["settings"] {
  const old = new Map(before.units.map((unit) => [unit.name, unit]));
  return after.units.flatMap((unit) => {
    const was = old.get(unit.name);
    if (was === undefined) return [];
    const keys = differing(UNIT_SETTINGS, was, unit);
    return keys.length === 0 ? [] : [{ unit: unit.name, keys }];
  });
}

const CLUSTER_SETTINGS = {
  cluster: "cluster",
  admit: "admit",
  loss: "loss",
  rings: "rings",
  reboots: "reboots",
  trust: "trust",
  driver: "release",
  notify: "notify",
  status: "status",
} as const satisfies Partial<Record<keyof ClusterSpec, string>>;

function clusterKeys(before: ClusterSpec, after: ClusterSpec): readonly string[] {
  return [...differing(CLUSTER_SETTINGS, before, after), ...machineKeys(before, after)].sort(compareText);
}

function machineKeys(before: ClusterSpec, after: ClusterSpec): readonly string[] {
  const [old, now] = [before, after].map(({ machines }) => new Map(machines.map((one) => [one.key, textOf(one)])));
  const keys = new Set([...old!.keys(), ...now!.keys()]);
  return [...keys].filter((key) => old!.get(key) !== now!.get(key)).map((key) => `machines.${key}`);
}

/** Its drop-ins are told with the units they are for. */
function textOf({ dropins: _, ...machine }: SpecMachine): string {
  return canonicalJson(machine as unknown as Json);
}

function differing<T>(names: Partial<Record<keyof T, string>>, before: T, after: T): readonly string[] {
  const keys = Object.keys(names) as (keyof T)[];
  const text = (value: unknown) => (value === undefined ? "" : canonicalJson(value as Json));
  return keys.filter((key) => text(before[key]) !== text(after[key])).map((key) => names[key]!);
}
