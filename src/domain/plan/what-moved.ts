import type { ClusterSnapshot, Release } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { type CommitId, compareText, type MachineId, type UnitHash, type UnitName } from "../names.ts";
import { type PlacedSide, placedNow } from "../placement/placed-now.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { Plan, PlanMachine } from "./plan.ts";

/** What is not as a saved plan read it. */
export type Moved =
  /** The plan is of a cluster, and this registry holds none of that name. */
  | { readonly code: "no-cluster" }
  | { readonly code: "other-cluster"; readonly was: string; readonly now: string }
  /** `null` for no release. */
  | {
      readonly code: "release";
      readonly was: { readonly seq: number; readonly commit: CommitId } | null;
      readonly now: Release | null;
    }
  | {
      readonly code: "machine-joined" | "machine-left" | "machine-away" | "machine-returned";
      readonly machine: MachineId;
      readonly name: string;
    }
  | { readonly code: "machine-renamed"; readonly machine: MachineId; readonly name: string; readonly now: string }
  /** `keys` are those that differ, sorted. */
  | {
      readonly code: "machine-metadata";
      readonly machine: MachineId;
      readonly name: string;
      readonly keys: readonly string[];
    }
  /** Sorted; empty for a unit that was, or is, nowhere. */
  | {
      readonly code: "unit-elsewhere";
      readonly unit: UnitName;
      readonly was: readonly MachineId[];
      readonly now: readonly MachineId[];
    }
  | {
      readonly code: "unit-version";
      readonly unit: UnitName;
      readonly machine: MachineId;
      readonly was: UnitHash;
      readonly now: UnitHash;
    }
  | {
      readonly code: "unit-goal";
      readonly unit: UnitName;
      readonly machine: MachineId;
      readonly was: UnitGoal;
      readonly now: UnitGoal;
    }
  /** The basis differs in what a plan does not record: another epoch, or metadata that git overrides. */
  | { readonly code: "unrecorded" };

/**
 * What lies between the cluster a stale plan read and the one that is there: cluster, then release, then machines by name, then units
 * by name. Never empty: ask only where `basisOf` differs. `machines` are `machinesOf` the plan's spec and that snapshot; null where
 * nobody here knows that spec, and then nothing is said of names and metadata.
 */
export function whatMoved(
  plan: Pick<Plan, "clusterId" | "base" | "machines" | "placements" | "changes">,
  snapshot: ClusterSnapshot,
  machines: readonly Machine[] | null,
): readonly Moved[] {
  if (plan.clusterId !== null) {
    const { identity } = snapshot;
    if (identity === null) return [{ code: "no-cluster" }];
    // Nothing of the one says anything about the other.
    if (identity.id !== plan.clusterId) return [{ code: "other-cluster", was: plan.clusterId, now: identity.id }];
  }
  const moved = [...releaseMoved(plan, snapshot), ...machinesMoved(plan.machines, snapshot, machines)];
  // With no machines the plan placed nothing, and recorded nothing that was placed.
  if (plan.machines.length > 0) moved.push(...unitsMoved(plan, placedNow(snapshot)));
  return moved.length === 0 ? [{ code: "unrecorded" }] : moved;
}

function releaseMoved({ base }: Pick<Plan, "base">, { release }: ClusterSnapshot): Moved[] {
  const was = base.releaseCommit === null ? null : { seq: base.releaseSeq, commit: base.releaseCommit };
  if (was?.seq === release?.seq && was?.commit === release?.commit) return [];
  return [{ code: "release", was, now: release }];
}

function machinesMoved(
  before: readonly PlanMachine[],
  snapshot: ClusterSnapshot,
  machines: readonly Machine[] | null,
): Moved[] {
  const was = new Map(before.map((machine) => [machine.id, machine]));
  const known = new Map(machines?.map((machine) => [machine.id, machine]));
  const now = new Map(snapshot.members.map((member) => [member.id, member]));
  const moved: Extract<Moved, { name: string }>[] = [];
  for (const { id, name } of before) if (!now.has(id)) moved.push({ code: "machine-left", machine: id, name });
  for (const member of snapshot.members) {
    const [old, machine] = [was.get(member.id), known.get(member.id)];
    const about = { machine: member.id, name: old?.name ?? machine?.name ?? member.name };
    if (old === undefined) {
      moved.push({ code: "machine-joined", ...about });
      continue;
    }
    if (old.present !== member.present) {
      moved.push({ code: member.present ? "machine-returned" : "machine-away", ...about });
    }
    if (machine === undefined) continue;
    if (machine.name !== old.name) moved.push({ code: "machine-renamed", ...about, now: machine.name });
    const keys = differing(old.metadata, machine.metadata);
    if (keys.length > 0) moved.push({ code: "machine-metadata", ...about, keys });
  }
  return moved.sort((a, b) => compareText(a.name, b.name) || compareText(a.code, b.code));
}

function differing(was: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): string[] {
  const keys = new Set([...Object.keys(was), ...Object.keys(now)]);
  return [...keys].filter((key) => was[key] !== now[key]).sort();
}

function unitsMoved(
  plan: Pick<Plan, "placements" | "changes">,
  now: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): Moved[] {
  const was = placedBefore(plan);
  return [...new Set([...was.keys(), ...now.keys()])]
    .sort(compareText)
    .flatMap((unit) => unitMoved(unit, was.get(unit) ?? [], now.get(unit) ?? []));
}

function unitMoved(unit: UnitName, was: readonly PlacedSide[], now: readonly PlacedSide[]): Moved[] {
  const machinesOf = (sides: readonly PlacedSide[]) => sides.map((side) => side.machine);
  if (machinesOf(was).join() !== machinesOf(now).join()) {
    return [{ code: "unit-elsewhere", unit, was: machinesOf(was), now: machinesOf(now) }];
  }
  return was.flatMap((old, index): Moved[] => {
    const { machine, hash, goal } = now[index]!;
    return [
      ...(hash === old.hash ? [] : [{ code: "unit-version", unit, machine, was: old.hash, now: hash } as const]),
      ...(goal === old.goal ? [] : [{ code: "unit-goal", unit, machine, was: old.goal, now: goal } as const]),
    ];
  });
}

/** A plan says where everything will be and what changes; so it says where everything was. Sides sorted by machine. */
function placedBefore({ placements, changes }: Pick<Plan, "placements" | "changes">): Map<UnitName, PlacedSide[]> {
  const sides = new Map<string, PlacedSide & { readonly unit: UnitName }>();
  const keyOf = (unit: UnitName, machine: MachineId) => `${unit}/${machine}`;
  for (const { unit, machine, hash, goal } of placements) {
    sides.set(keyOf(unit, machine), { unit, machine, hash, goal });
  }
  for (const { unit, to } of changes) if (to !== null) sides.delete(keyOf(unit, to.machine));
  for (const { unit, from } of changes) if (from !== null) sides.set(keyOf(unit, from.machine), { unit, ...from });
  const before = new Map<UnitName, PlacedSide[]>();
  for (const { unit, ...side } of [...sides.values()].sort((a, b) => compareText(a.machine, b.machine))) {
    const others = before.get(unit);
    if (others === undefined) before.set(unit, [side]);
    else others.push(side);
  }
  return before;
}
