import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { ClusterSnapshot, Member } from "./cluster-snapshot.ts";
import { machinesOf } from "./machines-of.ts";

/** What removing a machine from the cluster would do. */
export interface Removal {
  readonly machine: MachineId;
  /** The commit's name for it, where it has one. */
  readonly name: string;
  /** What was placed there; sorted by unit. */
  readonly units: readonly RemovedUnit[];
  /** The key of the commit's stanza for it, by which it is admitted again when it comes back; null where it has none, or the commit is not known. */
  readonly listed: string | null;
}

export interface RemovedUnit {
  readonly unit: UnitName;
  readonly becomes: UnitFate;
  /** What of its data is on that machine and stays there: the local state that was found. Sorted. */
  readonly data: readonly string[];
}

export type UnitFate =
  | { readonly code: "moves"; readonly to: MachineId }
  /** It is global: the others have it. */
  | { readonly code: "global" }
  /** The commit has it no more. */
  | { readonly code: "gone" }
  /** No other machine may have it now. */
  | { readonly code: "nowhere" }
  /** The release's commit is not to be had here. */
  | { readonly code: "unknown" };

/** By the decision the engine makes once the machine is no member. `spec`: of the release, or null where it is not known. */
export function judgeRemoval(
  member: Member,
  spec: ClusterSpec | null,
  snapshot: ClusterSnapshot,
  sha256: Sha256,
): Removal {
  const current = machinesOfUnits(placedNow(snapshot));
  const there = [...current].filter(([, machines]) => machines.includes(member.id)).map(([unit]) => unit);
  const machine = member.id;
  if (spec === null) {
    const units = there.map((unit): RemovedUnit => ({ unit, becomes: { code: "unknown" }, data: [] }));
    return { machine, name: member.name, units: units.sort(byUnit), listed: null };
  }
  const known = machinesOf(spec, snapshot, new Set()).find(({ id }) => id === machine);
  const left = { ...snapshot, members: snapshot.members.filter(({ id }) => id !== machine) };
  const machines = machinesOf(spec, left, new Set());
  const { placements } = placeUnits({ spec, machines, current, preferred: new Map(), sha256 });
  const places = new Map(placements.map((placement) => [placement.unit, placement.machine]));
  const groups = new Map(spec.groups.flatMap((group) => group.units.map((unit) => [unit, group] as const)));
  const units = there.map((unit): RemovedUnit => {
    const group = groups.get(unit);
    if (group === undefined) return { unit, becomes: { code: "gone" }, data: [] };
    const data = group.localState.filter((state) => state.unit === unit).map(({ because }) => because);
    if (group.global) return { unit, becomes: { code: "global" }, data };
    const to = places.get(unit);
    return { unit, becomes: to === undefined ? { code: "nowhere" } : { code: "moves", to }, data };
  });
  const stanza = spec.machines.find(
    ({ match, id, key }) => match === null && (id === null ? key === known?.name || key === machine : id === machine),
  );
  return { machine, name: known?.name ?? member.name, units: units.sort(byUnit), listed: stanza?.key ?? null };
}

/** Whether something is lost by it that no engine brings back: data, or a unit's only machine. */
export function losesSomething({ units }: Removal): boolean {
  return units.some(({ becomes, data }) => data.length > 0 || becomes.code === "nowhere" || becomes.code === "unknown");
}

function byUnit(a: RemovedUnit, b: RemovedUnit): number {
  return compareText(a.unit, b.unit);
}
