import type { Assignment, ClusterSnapshot, PlacedUnit, SetHeader } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { Placement } from "./placement.ts";

/** etcd's default limit of operations, and of compares, in one transaction. */
const TRANSACTION_MAX = 128;
/** Compares every transaction carries besides its own: the leader's key and the release. */
const SHARED_COMPARES = 2;
/** A machine costs one put (its header) and two compares (its header, its presence). */
const MACHINE_OPERATIONS = 1;
const MACHINE_COMPARES = 2;
/** A unit costs at most its assignment, its new and its old projection, and one compare. */
const UNIT_OPERATIONS_MAX = 3;

/** One transaction's worth of placement: applied whole or not at all. */
export interface SetWrite {
  /** Every machine it touches, with the header its set gets; sorted. */
  readonly machines: readonly TouchedMachine[];
  readonly changes: readonly UnitWrite[];
}

export interface TouchedMachine {
  readonly machine: MachineId;
  /** As read; both are compared. Presence 0 is compared too: evicting from a machine that came back must fail. */
  readonly presenceRevision: number;
  readonly headerModRevision: number;
  readonly header: SetHeader;
}

export interface UnitWrite {
  readonly unit: UnitName;
  /** Null for a global unit: it has no single assignment. */
  readonly assignModRevision: number | null;
  readonly from: MachineId | null;
  readonly to: {
    readonly machine: MachineId;
    readonly hash: PlacedUnit["hash"];
    readonly goal: UnitGoal;
    readonly reason: string;
  } | null;
}

/**
 * What an engine must write so that the registry's sets are the wanted placements: nothing where they are already. What goes is
 * written before what comes, so that a set never holds both sides of an exchange; every intermediate set is complete in itself.
 */
export function planSetWrites(
  wanted: readonly Placement[],
  globals: ReadonlySet<UnitName>,
  snapshot: ClusterSnapshot,
  sha256: Sha256,
): SetWrite[] {
  const state = new SetState(snapshot, sha256);
  const batches: UnitWrite[][] = [];
  let batch: UnitWrite[] = [];
  let touched = new Set<MachineId>();
  for (const change of unitWrites(wanted, globals, snapshot)) {
    const machines = machinesOfWrite(change).filter((machine) => !touched.has(machine));
    if (!fits(batch.length + 1, touched.size + machines.length)) {
      batches.push(batch);
      batch = [];
      touched = new Set();
    }
    batch.push(change);
    for (const machine of machinesOfWrite(change)) touched.add(machine);
  }
  if (batch.length > 0) batches.push(batch);
  const writes = batches.map((changes) => state.apply(changes));
  return [...writes, ...state.repairs(new Set(wanted.map((placement) => placement.machine)))];
}

function fits(units: number, machines: number): boolean {
  return (
    units * UNIT_OPERATIONS_MAX + machines * MACHINE_OPERATIONS <= TRANSACTION_MAX &&
    units + machines * MACHINE_COMPARES + SHARED_COMPARES <= TRANSACTION_MAX
  );
}

function unitWrites(
  wanted: readonly Placement[],
  globals: ReadonlySet<UnitName>,
  snapshot: ClusterSnapshot,
): UnitWrite[] {
  const assigned = new Map(snapshot.assignments.map((assignment) => [assignment.unit, assignment]));
  const projected = new Map(
    snapshot.sets.flatMap((set) => set.placements.map((placed) => [`${set.machine}/${placed.unit}`, placed] as const)),
  );
  const writes: UnitWrite[] = [];
  const kept = new Set<string>();
  for (const placement of wanted) {
    kept.add(`${placement.machine}/${placement.unit}`);
    const before = globals.has(placement.unit) ? null : (assigned.get(placement.unit) ?? null);
    const there = projected.get(`${placement.machine}/${placement.unit}`);
    if (there?.hash === placement.hash && there.goal === placement.goal && agrees(before, placement, globals)) continue;
    writes.push({
      unit: placement.unit,
      assignModRevision: globals.has(placement.unit) ? null : (before?.modRevision ?? 0),
      from: before !== null && before.machine !== placement.machine ? before.machine : null,
      to: { machine: placement.machine, hash: placement.hash, goal: placement.goal, reason: placement.reason.code },
    });
  }
  const leaving = new Set(writes.map((write) => `${write.from}/${write.unit}`));
  const wantedUnits = new Set(wanted.map((placement) => placement.unit));
  for (const set of snapshot.sets) {
    for (const { unit } of set.placements) {
      if (kept.has(`${set.machine}/${unit}`) || leaving.has(`${set.machine}/${unit}`)) continue;
      const before = assigned.get(unit);
      const released = before?.machine === set.machine && !wantedUnits.has(unit);
      writes.push({ unit, assignModRevision: released ? before.modRevision : null, from: set.machine, to: null });
    }
  }
  for (const assignment of snapshot.assignments) {
    if (wantedUnits.has(assignment.unit) || projected.has(`${assignment.machine}/${assignment.unit}`)) continue;
    writes.push({
      unit: assignment.unit,
      assignModRevision: assignment.modRevision,
      from: assignment.machine,
      to: null,
    });
  }
  return writes.sort(inWritingOrder);
}

function agrees(before: Assignment | null, placement: Placement, globals: ReadonlySet<UnitName>): boolean {
  if (globals.has(placement.unit)) return true;
  return before?.machine === placement.machine && before.hash === placement.hash && before.goal === placement.goal;
}

/** Removals, then moves, then the rest; within each by machine, so that compares are shared. */
function inWritingOrder(a: UnitWrite, b: UnitWrite): number {
  const rank = (write: UnitWrite) => (write.to === null ? 0 : write.from !== null ? 1 : 2);
  const machine = (write: UnitWrite) => write.to?.machine ?? write.from ?? "";
  return rank(a) - rank(b) || compareText(machine(a), machine(b)) || compareText(a.unit, b.unit);
}

function machinesOfWrite(write: UnitWrite): MachineId[] {
  const machines = [write.from, write.to?.machine ?? null].filter((machine) => machine !== null);
  return [...new Set(machines)];
}

/** The sets as they are after each batch, so that each header describes what its transaction leaves behind. */
class SetState {
  readonly #sha256: Sha256;
  readonly #epoch: number;
  readonly #revision: number;
  readonly #placements = new Map<MachineId, Map<UnitName, PlacedUnit>>();
  readonly #headers = new Map<MachineId, { header: SetHeader | null; modRevision: number }>();
  readonly #presence: Map<MachineId, number>;

  constructor(snapshot: ClusterSnapshot, sha256: Sha256) {
    this.#sha256 = sha256;
    this.#epoch = snapshot.identity?.epoch ?? 0;
    this.#revision = snapshot.revision;
    this.#presence = new Map(snapshot.members.map((member) => [member.id, member.presenceRevision]));
    for (const set of snapshot.sets) {
      this.#placements.set(set.machine, new Map(set.placements.map((placed) => [placed.unit, placed])));
      this.#headers.set(set.machine, { header: set.header, modRevision: set.headerModRevision });
    }
  }

  apply(changes: readonly UnitWrite[]): SetWrite {
    for (const change of changes) {
      if (change.from !== null) this.#placements.get(change.from)?.delete(change.unit);
      if (change.to === null) continue;
      const { machine, hash, goal } = change.to;
      const placements = this.#placements.get(machine) ?? new Map<UnitName, PlacedUnit>();
      placements.set(change.unit, { unit: change.unit, hash, goal });
      this.#placements.set(machine, placements);
    }
    const machines = [...new Set(changes.flatMap(machinesOfWrite))].sort();
    return { machines: machines.map((machine) => this.#touch(machine)), changes };
  }

  /** Headers that are missing, of another epoch or that do not describe their set: rewritten although no unit changes. */
  repairs(wanted: ReadonlySet<MachineId>): SetWrite[] {
    const machines = [...new Set([...this.#placements.keys(), ...wanted])]
      .sort()
      .filter((machine) => !this.#isSound(machine));
    return machines.map((machine) => ({ machines: [this.#touch(machine)], changes: [] }));
  }

  #isSound(machine: MachineId): boolean {
    const header = this.#headers.get(machine)?.header ?? null;
    return (
      header !== null &&
      header.epoch === this.#epoch &&
      header.digest === digestOfSet(this.#sorted(machine), this.#sha256)
    );
  }

  #touch(machine: MachineId): TouchedMachine {
    const before = this.#headers.get(machine) ?? { header: null, modRevision: 0 };
    const placements = this.#sorted(machine);
    const header: SetHeader = {
      epoch: this.#epoch,
      // Never below one an agent has seen, also when somebody deleted the header: the store's revision only rises.
      generation: Math.max((before.header?.generation ?? 0) + 1, this.#revision),
      count: placements.length,
      digest: digestOfSet(placements, this.#sha256),
    };
    this.#headers.set(machine, { header, modRevision: before.modRevision });
    return {
      machine,
      presenceRevision: this.#presence.get(machine) ?? 0,
      headerModRevision: before.modRevision,
      header,
    };
  }

  #sorted(machine: MachineId): PlacedUnit[] {
    return [...(this.#placements.get(machine)?.values() ?? [])].sort((a, b) => compareText(a.unit, b.unit));
  }
}
