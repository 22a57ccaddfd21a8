import type { ClusterSnapshot, KeptSet, MachineSet } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { toldSets } from "../cluster/told-sets.ts";
import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Replaced } from "./judge-replaced.ts";

/** What to do about machines whose sets are of an earlier epoch than the registry's (protocol rule 13). */
export type Adoption =
  | { readonly kind: "none" }
  /** Place nothing: some have not told, or units may run on machines nobody has heard of. `missing`: units nobody told of. */
  | { readonly kind: "wait"; readonly machines: readonly MachineId[]; readonly missing: readonly UnitName[] }
  /** A machine has taken a later release than the registry has: what it runs may be gone from this one. */
  | { readonly kind: "ahead"; readonly because: Replaced }
  /** Everything as the machines say, sorted by unit, then machine: what is to be written before anything is placed. */
  | { readonly kind: "take"; readonly placements: readonly Placement[] };

export interface AdoptionTime {
  /** When the one who asks first read the registry in this epoch. */
  readonly sinceMs: number;
  readonly nowMs: number;
  /** Silence longer than that is an answer: the agents' lease and the grace beyond it. */
  readonly holdMs: number;
}

/** A cluster that was moved, wiped or restored is taken over from the machines before anything is placed in it. */
export function judgeAdoption(
  snapshot: ClusterSnapshot,
  spec: ClusterSpec,
  time: AdoptionTime,
  sha256: Sha256,
): Adoption {
  const open = new Set(unadopted(snapshot, sha256));
  if (open.size === 0) return { kind: "none" };
  const told = keptOf(snapshot).filter(({ machine }) => open.has(machine));
  const damaged = [...toldSets(snapshot).values()].filter(({ machine }) => !open.has(machine));
  const ahead = aheadOf(snapshot, told);
  if (ahead !== null) return { kind: "ahead", because: ahead };
  const heard = new Set(told.map(({ machine }) => machine));
  const isPresent = new Set(snapshot.members.filter(({ present }) => present).map(({ id }) => id));
  const silent = [...open].filter((machine) => isPresent.has(machine) && !heard.has(machine));
  if (told.length === 0 && silent.length === 0) return { kind: "none" };
  const placements = asTold(snapshot, spec, [...told, ...damaged], open);
  const missing = missingUnits(spec, placements);
  const isOver = time.nowMs - time.sinceMs >= time.holdMs;
  if (!isOver && (silent.length > 0 || missing.length > 0)) return { kind: "wait", machines: silent, missing };
  return told.length === 0 ? { kind: "none" } : { kind: "take", placements };
}

/** Machines whose agents go by a set of an earlier epoch, and for which none of this one is written whole; sorted. */
export function unadopted({ identity, members, sets }: ClusterSnapshot, sha256: Sha256): MachineId[] {
  const epoch = identity?.epoch ?? 0;
  const shown = new Map(sets.map((set) => [set.machine, set]));
  return members
    .filter(({ setEpoch = epoch }) => setEpoch < epoch)
    .map(({ id }) => id)
    .filter((machine) => !isOfEpoch(shown.get(machine), epoch, sha256));
}

function isOfEpoch(set: MachineSet | undefined, epoch: number, sha256: Sha256): boolean {
  if (set?.header?.epoch !== epoch) return false;
  return set.header.count === set.placements.length && set.header.digest === digestOfSet(set.placements, sha256);
}

/** Of an earlier epoch: a backup was imported, and machines went on after it was made. */
function aheadOf({ release, members }: ClusterSnapshot, told: readonly KeptSet[]): Replaced | null {
  const saw = release?.seq ?? 0;
  const ahead = told.find((kept) => kept.release.seq > saw);
  if (ahead === undefined) return null;
  const machine = members.find(({ id }) => id === ahead.machine)?.name ?? ahead.machine;
  return { code: "member-ahead", machine, saw, known: ahead.release.seq };
}

/** What machines of this very cluster told. */
function keptOf({ identity, kept = [] }: ClusterSnapshot): readonly KeptSet[] {
  return kept.filter((set) => set.identity.id === identity?.id);
}

/** What the machines that told say of theirs, and the registry of all others. */
function asTold(
  snapshot: ClusterSnapshot,
  spec: ClusterSpec,
  told: readonly KeptSet[],
  open: ReadonlySet<MachineId>,
): Placement[] {
  const globals = new Set(spec.units.filter((unit) => unit.options.global).map((unit) => unit.name));
  const written = new Map(told.map(({ machine, epoch, generation }) => [machine, { epoch, generation }]));
  const sets = [...told, ...snapshot.sets.filter(({ machine }) => !written.has(machine))];
  const owners = new Map<UnitName, MachineId>();
  const assigned = new Map(snapshot.assignments.map(({ unit, machine }) => [unit, machine]));
  for (const { machine, placements } of sets) {
    for (const { unit } of placements) {
      const owner = owners.get(unit);
      if (owner === undefined || isBetter(machine, owner, { assigned: assigned.get(unit), written, open }))
        owners.set(unit, machine);
    }
  }
  return sets
    .flatMap(({ machine, placements }) =>
      placements
        .filter(({ unit }) => globals.has(unit) || owners.get(unit) === machine)
        .map(({ unit, hash, goal }): Placement => ({ unit, machine, hash, goal, reason: { code: "stayed" } })),
    )
    .sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
}

interface Claims {
  /** By the registry, whatever it is worth. */
  readonly assigned: MachineId | undefined;
  /** When the set was written that a machine told of; not there of one that has not told. */
  readonly written: ReadonlyMap<MachineId, Pick<KeptSet, "epoch" | "generation">>;
  readonly open: ReadonlySet<MachineId>;
}

/**
 * Of two machines that have a unit: the one it was given in this epoch; else the one whose own set was written last, for then the unit had left
 * the other, which only has not heard of it; else one that tells so itself; else the one an old registry names.
 */
function isBetter(machine: MachineId, than: MachineId, { assigned, written, open }: Claims): boolean {
  const worth = (one: MachineId) => {
    const { epoch = -1, generation = -1 } = written.get(one) ?? {};
    return [assigned === one && !open.has(one) ? 1 : 0, epoch, generation, assigned === one ? 1 : 0];
  };
  const [ours, theirs] = [worth(machine), worth(than)];
  const first = ours.findIndex((value, index) => value !== theirs[index]);
  return first >= 0 && ours[first]! > theirs[first]!;
}

/** Units the commit wants somewhere, of which nobody has told. */
function missingUnits(spec: ClusterSpec, placements: readonly Placement[]): UnitName[] {
  const there = new Set(placements.map(({ unit }) => unit));
  return spec.units
    .filter(({ name, goal, options }) => goal !== "inactive" && !options.global && !there.has(name))
    .map(({ name }) => name);
}
