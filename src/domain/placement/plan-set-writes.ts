import type { Assignment, ClusterSnapshot, PlacedUnit, SetHeader } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { placedOn } from "../cluster/seen-units.ts";
import { isDamagedSet, toldSets } from "../cluster/told-sets.ts";
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
  /** Null where the machine is only compared: units leave it, and its set stays as unknown as it is. */
  readonly header: SetHeader | null;
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
    /** Why it came to this machine, and since when it is there (RFC 3339); null: from now on, or nobody has said. */
    readonly reason: string;
    readonly since: string | null;
  } | null;
}

/**
 * What an engine must write so that the registry's sets are the wanted placements: nothing where they are already. What goes is
 * written before what comes, so that a set never holds both sides of an exchange; every intermediate set is complete in itself.
 * Not so one that was damaged when read: its agent keeps what it runs until the last of its placements is back.
 */
export function planSetWrites(
  wanted: readonly Placement[],
  globals: ReadonlySet<UnitName>,
  snapshot: ClusterSnapshot,
  sha256: Sha256,
): SetWrite[] {
  const unknown = unknownSets(snapshot, sha256);
  const writes = unitWrites(wanted, globals, snapshot).flatMap((write) => withoutUnknown(write, unknown));
  const state = new SetState(snapshot, writes, unknown, sha256);
  const transactions = inTransactions(writes).map((changes) => state.apply(changes));
  return [...transactions, ...state.repairs(wanted)];
}

/**
 * Machines that are away and whose set is damaged: what ran there is known of single units only. A header written now would be an
 * order to stop the rest (the global units) the moment the machine returns; without one its agent keeps everything, and once it is
 * present its set is written whole. The simulator found it (seeds 56, 85: placements wiped while a machine was away). The same of
 * machines, there or away, that go by a set of an earlier epoch and have not told what is in it (protocol rule 13), and of those
 * that go by one of this epoch and are about to tell: an agent does as soon as it sees the damage. Of a machine that lost its record
 * nobody knows by which set it goes, and while its lease lasts it counts as there although it may be cut off (seed 1084): its record comes
 * back before it is asked anything. Nor does a machine that was removed, and that an assignment still names, get a set again.
 */
function unknownSets(snapshot: ClusterSnapshot, sha256: Sha256): ReadonlySet<MachineId> {
  const epoch = snapshot.identity?.epoch ?? 0;
  const sets = new Map(snapshot.sets.map((set) => [set.machine, set]));
  const told = new Set(snapshot.kept?.map(({ machine }) => machine));
  const ofThisEpoch = toldSets(snapshot);
  const unheard = snapshot.members.filter(({ id, present, setEpoch, unrecorded = false }) => {
    if (unrecorded) return true;
    if (setEpoch !== undefined && setEpoch < epoch) return !told.has(id);
    return !present || (setEpoch !== undefined && isDamagedSet(sets.get(id), epoch) && !ofThisEpoch.has(id));
  });
  const members = new Set(snapshot.members.map(({ id }) => id));
  const removed = snapshot.assignments
    .map(({ machine }) => machine)
    .filter((machine) => !members.has(machine) && !sets.has(machine));
  const damaged = unheard.filter(({ id }) => {
    const { header = null, placements = [] } = sets.get(id) ?? {};
    return header?.epoch !== epoch || header.digest !== digestOfSet(placements, sha256);
  });
  return new Set([...removed, ...damaged.map(({ id }) => id)]);
}

/** What is left of a write where such sets are not touched: assignments still change, and units still leave for elsewhere. */
function withoutUnknown(write: UnitWrite, unknown: ReadonlySet<MachineId>): UnitWrite[] {
  if (write.to !== null) return unknown.has(write.to.machine) ? [] : [write];
  if (write.from === null || !unknown.has(write.from)) return [write];
  return write.assignModRevision === null ? [] : [{ ...write, from: null }];
}

function inTransactions(writes: readonly UnitWrite[]): UnitWrite[][] {
  const batches: UnitWrite[][] = [];
  let batch: UnitWrite[] = [];
  let touched = new Set<MachineId>();
  for (const change of writes) {
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
  return batches;
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
  const assigned = assignmentsOf(snapshot.assignments);
  const damaged = new Map(snapshot.damagedAssignments?.map(({ unit, modRevision }) => [unit, modRevision]));
  const projected = placedOn(snapshot.sets);
  const writes: UnitWrite[] = [];
  const kept = new Set<PlacedUnit>();
  for (const placement of wanted) {
    const before = globals.has(placement.unit) ? null : (assigned.get(placement.unit) ?? null);
    const there = projected.get(placement.machine)?.get(placement.unit);
    if (there !== undefined) kept.add(there);
    if (there?.hash === placement.hash && there.goal === placement.goal && agrees(before, placement, globals)) continue;
    writes.push({
      unit: placement.unit,
      assignModRevision: globals.has(placement.unit) ? null : (before?.modRevision ?? damaged.get(placement.unit) ?? 0),
      from: before !== null && before.machine !== placement.machine ? before.machine : null,
      to: {
        machine: placement.machine,
        hash: placement.hash,
        goal: placement.goal,
        ...(before?.machine === placement.machine
          ? { reason: before.reason, since: before.at ?? null }
          : { reason: placement.reason.code, since: null }),
      },
    });
  }
  const leaving = new Set(writes.map((write) => `${write.from}/${write.unit}`));
  const wantedUnits = new Set(wanted.map((placement) => placement.unit));
  for (const set of snapshot.sets) {
    for (const placed of set.placements) {
      const { unit } = placed;
      if (kept.has(placed) || leaving.has(`${set.machine}/${unit}`)) continue;
      const before = assigned.get(unit);
      const released = before?.machine === set.machine && !wantedUnits.has(unit);
      writes.push({ unit, assignModRevision: released ? before.modRevision : null, from: set.machine, to: null });
    }
  }
  for (const { unit, machine, modRevision } of snapshot.assignments) {
    if (globals.has(unit) && wantedUnits.has(unit)) {
      // It was a single unit before: an assignment would name one machine of many.
      writes.push({ unit, assignModRevision: modRevision, from: null, to: null });
    } else if (!wantedUnits.has(unit) && projected.get(machine)?.has(unit) !== true) {
      writes.push({ unit, assignModRevision: modRevision, from: machine, to: null });
    }
  }
  for (const [unit, modRevision] of damaged) {
    if (wantedUnits.has(unit) && !globals.has(unit)) continue;
    writes.push({ unit, assignModRevision: modRevision, from: null, to: null });
  }
  return writes.sort(inWritingOrder);
}

/** Of one snapshot an engine asks at every pass, and mostly there is nothing to write. */
const knownAssignments = new WeakMap<ClusterSnapshot["assignments"], ReadonlyMap<UnitName, Assignment>>();

function assignmentsOf(assignments: ClusterSnapshot["assignments"]): ReadonlyMap<UnitName, Assignment> {
  const known = knownAssignments.get(assignments);
  if (known !== undefined) return known;
  const byUnit = new Map(assignments.map((assignment) => [assignment.unit, assignment]));
  knownAssignments.set(assignments, byUnit);
  return byUnit;
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

type Sets = Map<MachineId, Map<UnitName, PlacedUnit>>;

function applyTo(sets: Sets, { unit, from, to }: UnitWrite): void {
  if (from !== null) sets.get(from)?.delete(unit);
  if (to === null) return;
  const placements = sets.get(to.machine) ?? new Map<UnitName, PlacedUnit>();
  sets.set(to.machine, placements.set(unit, { unit, hash: to.hash, goal: to.goal }));
}

/** The sets as they are after each transaction, so that each header describes what its transaction leaves behind. */
class SetState {
  readonly #sha256: Sha256;
  readonly #epoch: number;
  readonly #revision: number;
  readonly #placements: Sets = new Map();
  readonly #headers = new Map<MachineId, { header: SetHeader | null; modRevision: number }>();
  readonly #presence: Map<MachineId, number>;
  readonly #present: readonly MachineId[];
  readonly #unknown: ReadonlySet<MachineId>;
  /**
   * Sets that were damaged when read, as they will be at the end. Their headers say that from the first transaction on: one that
   * described a wiped set half restored would be an order to stop the other half.
   */
  readonly #promised = new Map<MachineId, Pick<SetHeader, "count" | "digest">>();

  constructor(
    snapshot: ClusterSnapshot,
    writes: readonly UnitWrite[],
    unknown: ReadonlySet<MachineId>,
    sha256: Sha256,
  ) {
    this.#unknown = unknown;
    this.#sha256 = sha256;
    this.#epoch = snapshot.identity?.epoch ?? 0;
    this.#revision = snapshot.revision;
    this.#presence = new Map(snapshot.members.map((member) => [member.id, member.presenceRevision]));
    this.#present = snapshot.members.filter(({ present }) => present).map(({ id }) => id);
    for (const set of snapshot.sets) {
      this.#placements.set(set.machine, new Map(set.placements.map((placed) => [placed.unit, placed])));
      this.#headers.set(set.machine, { header: set.header, modRevision: set.headerModRevision });
    }
    const atTheEnd: Sets = new Map(
      [...this.#placements].map(([machine, placements]) => [machine, new Map(placements)]),
    );
    for (const write of writes) applyTo(atTheEnd, write);
    for (const machine of new Set(writes.flatMap(machinesOfWrite))) {
      if (!this.#isSound(machine)) this.#promised.set(machine, this.#described(atTheEnd.get(machine)));
    }
  }

  apply(changes: readonly UnitWrite[]): SetWrite {
    for (const change of changes) applyTo(this.#placements, change);
    const machines = [...new Set(changes.flatMap(machinesOfWrite))].sort();
    return { machines: machines.map((machine) => this.#touch(machine)), changes };
  }

  /**
   * Headers that are missing, of another epoch or that do not describe their set: rewritten although no unit changes. Every machine that is
   * there has one, also one that never had a unit: without, nobody could tell a set that is to be empty from one that was wiped, and
   * what the machine runs, after a loss of its memory say, would run for ever.
   */
  repairs(wanted: readonly Placement[]): SetWrite[] {
    const named = wanted.map(({ machine }) => machine);
    const machines = [...new Set([...this.#placements.keys(), ...named, ...this.#present])]
      .sort()
      .filter((machine) => !this.#unknown.has(machine) && !this.#isSound(machine));
    return machines.map((machine) => ({ machines: [this.#touch(machine)], changes: [] }));
  }

  #isSound(machine: MachineId): boolean {
    const header = this.#headers.get(machine)?.header ?? null;
    if (header === null || header.epoch !== this.#epoch) return false;
    const { count, digest } = this.#described(this.#placements.get(machine));
    return header.count === count && header.digest === digest;
  }

  #touch(machine: MachineId): TouchedMachine {
    const before = this.#headers.get(machine) ?? { header: null, modRevision: 0 };
    const presenceRevision = this.#presence.get(machine) ?? 0;
    if (this.#unknown.has(machine)) {
      return { machine, presenceRevision, headerModRevision: before.modRevision, header: null };
    }
    const header: SetHeader = {
      epoch: this.#epoch,
      // Never below one an agent has seen, also when somebody deleted the header: the store's revision only rises.
      generation: Math.max((before.header?.generation ?? 0) + 1, this.#revision),
      ...(this.#promised.get(machine) ?? this.#described(this.#placements.get(machine))),
    };
    this.#headers.set(machine, { header, modRevision: before.modRevision });
    return { machine, presenceRevision, headerModRevision: before.modRevision, header };
  }

  #described(placements: ReadonlyMap<UnitName, PlacedUnit> | undefined): Pick<SetHeader, "count" | "digest"> {
    const placed = [...(placements?.values() ?? [])];
    return { count: placed.length, digest: digestOfSet(placed, this.#sha256) };
  }
}
