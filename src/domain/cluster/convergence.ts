import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { Unplaced } from "../placement/placement.ts";
import type { RolloutRecord } from "../rollout/rollout-record.ts";
import { rolloutOf } from "../rollout/rollouts.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { ClusterSnapshot } from "./cluster-snapshot.ts";
import { machinesOf } from "./machines-of.ts";
import { type FailedBecause, SeenUnits, type Verdict, type WaitingBecause } from "./seen-units.ts";
import { isStopped, OF_A_WAVE, withRollout } from "./with-rollout.ts";

/** How far the cluster is from what the commit says. Units that are as they should be are in no list. */
export interface Convergence {
  /** Nothing waits, nothing failed, and the rollout is over; what is only `away` does not count against it. */
  readonly converged: boolean;
  /** Nothing waits, not even for the engine's word: it stays so until somebody does something. */
  readonly settled: boolean;
  /** Units × machines wanted, for a progress line. */
  readonly wanted: number;
  /** Sorted by unit, then machine. */
  readonly waiting: readonly NotConverged<WaitingBecause | HandOffWait>[];
  /** Sorted by unit, then machine. */
  readonly failed: readonly NotConverged<FailedBecause>[];
  /** Units that can only run on a machine that is not there: nobody can do anything about them until it returns. */
  readonly away: readonly NotConverged<WaitingBecause>[];
  /** The rollout of the release in force, as its engine wrote it last. Absent: it has written none. */
  readonly rollout?: RolloutRecord;
}

/** `from` is told to stop it, and it is placed on `to` once that is done (`handOffs`). */
export interface HandOffWait {
  readonly code: "hand-off";
  readonly from: MachineId;
  readonly to: MachineId;
}

export interface NotConverged<Because> {
  readonly unit: UnitName;
  /** Null where no machine holds it yet. */
  readonly machine: MachineId | null;
  readonly because: Because;
}

/**
 * Compares what runs with what the commit says, by the decision the engine makes: every unit in the set of its machine with the
 * right hash, seen by the machine's agent with that hash in a state that fits its goal; and nothing else running.
 */
export function judgeConvergence(spec: ClusterSpec, snapshot: ClusterSnapshot, sha256: Sha256): Convergence {
  const current = machinesOfUnits(placedNow(snapshot));
  const machines = machinesOf(spec, snapshot, new Set());
  const result = placeUnits({ spec, machines, current, preferred: new Map(), sha256 });
  const stuck = placedAlthoughLost(spec, snapshot, current, sha256);
  const seen = new SeenUnits(spec, snapshot);
  const judged: Judged[] = [
    ...result.placements.map((placement) => ({
      unit: placement.unit,
      machine: current.get(placement.unit)?.includes(placement.machine) ? placement.machine : null,
      verdict: seen.judge(placement),
    })),
    ...result.unplaced.filter((unplaced) => !isIdleGlobal(spec, unplaced)).flatMap(judgeUnplaced),
    ...seen.leaving(result.placements),
  ];
  const rollout = rolloutOf(snapshot.rollouts, snapshot.release);
  // What is judged may be another release than the one in force.
  const isOfSpec = rollout?.release.specHash === spec.specHash;
  const held = withHeld(judged, spec, current);
  const verdicts = isOfSpec && isStopped(rollout) ? withRollout(held, rollout) : held;
  const notYet = verdicts.flatMap(({ unit, machine, verdict }) =>
    verdict.kind === "waiting" ? [{ unit, machine, because: verdict.because }] : [],
  );
  const isAway = ({ unit, machine, because }: NotConverged<WaitingBecause>) =>
    because.code === "no-machine" || (because.code === "machine-absent" && stuck.has(`${unit}/${machine}`));
  const leaving = new Map(snapshot.assignments.map((one) => [one.unit, one.goal === "inactive" ? one.machine : null]));
  const goingTo = new Map(result.placements.map(({ unit, machine }) => [unit, machine]));
  const waiting = notYet
    .filter((entry) => !isAway(entry))
    .map((entry): NotConverged<WaitingBecause | HandOffWait> => {
      const [from, to] = [leaving.get(entry.unit) ?? null, goingTo.get(entry.unit)];
      const isHandedOver = entry.because.code === "not-placed" && from !== null && to !== undefined && from !== to;
      return isHandedOver ? { ...entry, because: { code: "hand-off", from, to } } : entry;
    });
  const failed = verdicts.flatMap(({ unit, machine, verdict }) =>
    verdict.kind === "failed" ? [{ unit, machine, because: verdict.because }] : [],
  );
  // A service is up before it fails: that it has stayed up for its time is for the engine to say.
  const isOpen = isOfSpec && isUnderWay(rollout);
  return {
    converged: waiting.length === 0 && failed.length === 0 && !isOpen && !(isOfSpec && isStopped(rollout)),
    settled: waiting.length === 0 && !isOpen,
    wanted: result.placements.length,
    waiting: waiting.sort(inOrder),
    failed: failed.sort(inOrder),
    away: notYet.filter(isAway).sort(inOrder),
    ...(isOfSpec && rollout !== null ? { rollout } : {}),
  };
}

/** Its engine has still to say what becomes of the release: whether what it changed stays healthy, or where what failed leads. */
function isUnderWay(rollout: RolloutRecord | null): boolean {
  return rollout?.phase === "rolling" || rollout?.phase === "rolling-back";
}

/** What is made of one unit on one machine, or on none. */
export interface Judged {
  readonly unit: UnitName;
  readonly machine: MachineId | null;
  readonly verdict: Verdict;
}

/**
 * What waits for its wave while one of its set of replicas has failed waits for somebody to do something, and with it the rest of its
 * group and what starts after it. A new replica of such a set is not held.
 */
function withHeld(
  judged: readonly Judged[],
  spec: ClusterSpec,
  current: ReadonlyMap<UnitName, readonly MachineId[]>,
): readonly Judged[] {
  const failed = new Map<string, UnitName>();
  for (const { unit, verdict } of judged) {
    if (verdict.kind === "failed" && verdict.because.code !== "unplaceable") failed.set(replicaSetOf(unit), unit);
  }
  if (failed.size === 0) return judged;
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const groupOf = (unit: UnitName) => units.get(unit)?.group ?? unit;
  const waiting = judged.filter(({ verdict }) => verdict.kind === "waiting" && OF_A_WAVE.has(verdict.because.code));
  const heldBy = new Map<string, UnitName>();
  for (const { unit } of waiting) {
    const by = failed.get(replicaSetOf(unit));
    if (by !== undefined && current.has(unit)) heldBy.set(groupOf(unit), by);
  }
  const later = new Map<string, UnitName[]>();
  for (const { unit } of waiting) {
    for (const earlier of units.get(unit)?.after ?? []) {
      const others = later.get(groupOf(earlier));
      if (others === undefined) later.set(groupOf(earlier), [unit]);
      else others.push(unit);
    }
  }
  // A Map hands out what is added to it while it is gone through.
  for (const [group, by] of heldBy) {
    for (const unit of later.get(group) ?? []) if (!heldBy.has(groupOf(unit))) heldBy.set(groupOf(unit), by);
  }
  const isWaiting = new Set(waiting);
  return judged.map((one) => {
    const by = isWaiting.has(one) ? heldBy.get(groupOf(one.unit)) : undefined;
    return by === undefined ? one : { ...one, verdict: { kind: "failed", because: { code: "held", by } } };
  });
}

/** `unit/machine` of what stays on its absent machine even once that counts as lost: global, tied to its data, or fitting nowhere else. */
function placedAlthoughLost(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  current: ReadonlyMap<UnitName, readonly MachineId[]>,
  sha256: Sha256,
): ReadonlySet<string> {
  const absent = new Set(snapshot.members.filter((member) => !member.present).map((member) => member.id));
  if (absent.size === 0) return absent;
  const { placements } = placeUnits({
    spec,
    machines: machinesOf(spec, snapshot, absent),
    current,
    preferred: new Map(),
    sha256,
  });
  return new Set(
    placements.filter(({ machine }) => absent.has(machine)).map(({ unit, machine }) => `${unit}/${machine}`),
  );
}

/** A global unit that no machine matches yet is where it should be: nowhere. */
function isIdleGlobal(spec: ClusterSpec, { group }: Unplaced): boolean {
  return spec.groups.some((candidate) => candidate.name === group && candidate.global);
}

function judgeUnplaced(unplaced: Unplaced): Judged[] {
  const verdict: Verdict =
    unplaced.kind === "unplaceable"
      ? { kind: "failed", because: { code: "unplaceable", unplaced } }
      : { kind: "waiting", because: { code: "no-machine", unplaced } };
  return unplaced.units.map((unit) => ({ unit, machine: null, verdict }));
}

function inOrder(a: NotConverged<unknown>, b: NotConverged<unknown>): number {
  return compareText(a.unit, b.unit) || compareText(a.machine ?? "", b.machine ?? "");
}
