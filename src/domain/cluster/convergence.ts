import { compareText, type MachineId, type Sha256, type UnitHash, type UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { Placement, Unplaced } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { isOneshot } from "../tasks/is-oneshot.ts";
import type { ClusterSnapshot, Member, PlacedUnit, StatusProblem, UnitStatus } from "./cluster-snapshot.ts";
import { machinesOf } from "./machines-of.ts";

/** How far the cluster is from what the commit says. Units that are as they should be are in no list. */
export interface Convergence {
  /** Nothing waits and nothing failed; what is only `away` does not count against it. */
  readonly converged: boolean;
  /** Nothing waits: what is not converged has failed, and stays so until somebody does something. */
  readonly settled: boolean;
  /** Units × machines wanted, for a progress line. */
  readonly wanted: number;
  /** Sorted by unit, then machine. */
  readonly waiting: readonly NotConverged<WaitingBecause>[];
  /** Sorted by unit, then machine. */
  readonly failed: readonly NotConverged<FailedBecause>[];
  /** Units that can only run on a machine that is not there: nobody can do anything about them until it returns. */
  readonly away: readonly NotConverged<WaitingBecause>[];
}

export interface NotConverged<Because> {
  readonly unit: UnitName;
  /** Null where no machine holds it yet. */
  readonly machine: MachineId | null;
  readonly because: Because;
}

export type WaitingBecause =
  | { readonly code: "not-placed" }
  | { readonly code: "no-machine"; readonly unplaced: Unplaced }
  | { readonly code: "machine-absent" }
  /** Its agent keeps an older set than it was given. */
  | { readonly code: "machine-behind"; readonly problem: StatusProblem }
  | { readonly code: "no-status" }
  | { readonly code: "other-version"; readonly runs: UnitHash | null; readonly wanted: UnitHash }
  | { readonly code: "state"; readonly active: string; readonly sub: string }
  /** It should be gone and still runs. */
  | { readonly code: "leaving" };

export type FailedBecause =
  | { readonly code: "unplaceable"; readonly unplaced: Unplaced }
  | { readonly code: "problem"; readonly problem: StatusProblem };

type Verdict =
  | { readonly kind: "converged" }
  | { readonly kind: "waiting"; readonly because: WaitingBecause }
  | { readonly kind: "failed"; readonly because: FailedBecause };

/**
 * Compares what runs with what the commit says, by the decision the engine makes: every unit in the set of its machine with the
 * right hash, seen by the machine's agent with that hash in a state that fits its goal; and nothing else running.
 */
export function judgeConvergence(spec: ClusterSpec, snapshot: ClusterSnapshot, sha256: Sha256): Convergence {
  const current = machinesOfUnits(placedNow(snapshot));
  const machines = machinesOf(spec, snapshot, new Set());
  const result = placeUnits({ spec, machines, current, preferred: new Map(), sha256 });
  const stuck = placedAlthoughLost(spec, snapshot, current, sha256);
  const seen = new Seen(spec, snapshot);
  const verdicts: { unit: UnitName; machine: MachineId | null; verdict: Verdict }[] = [
    ...result.placements.map((placement) => ({
      unit: placement.unit,
      machine: current.get(placement.unit)?.includes(placement.machine) ? placement.machine : null,
      verdict: seen.judge(placement),
    })),
    ...result.unplaced.filter((unplaced) => !isIdleGlobal(spec, unplaced)).flatMap(judgeUnplaced),
    ...seen.leaving(result.placements),
  ];
  const notYet = verdicts.flatMap(({ unit, machine, verdict }) =>
    verdict.kind === "waiting" ? [{ unit, machine, because: verdict.because }] : [],
  );
  const isAway = ({ unit, machine, because }: NotConverged<WaitingBecause>) =>
    because.code === "no-machine" || (because.code === "machine-absent" && stuck.has(`${unit}/${machine}`));
  const waiting = notYet.filter((entry) => !isAway(entry));
  const failed = verdicts.flatMap(({ unit, machine, verdict }) =>
    verdict.kind === "failed" ? [{ unit, machine, because: verdict.because }] : [],
  );
  return {
    converged: waiting.length === 0 && failed.length === 0,
    settled: waiting.length === 0,
    wanted: result.placements.length,
    waiting: waiting.sort(inOrder),
    failed: failed.sort(inOrder),
    away: notYet.filter(isAway).sort(inOrder),
  };
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

function judgeUnplaced(unplaced: Unplaced): { unit: UnitName; machine: null; verdict: Verdict }[] {
  const verdict: Verdict =
    unplaced.kind === "unplaceable"
      ? { kind: "failed", because: { code: "unplaceable", unplaced } }
      : { kind: "waiting", because: { code: "no-machine", unplaced } };
  return unplaced.units.map((unit) => ({ unit, machine: null, verdict }));
}

/** Problems of a process, not of an agent: they speak of the version that ran, so an older version's are no news. */
const OF_A_VERSION: ReadonlySet<string> = new Set([
  "failed",
  "start-failed",
  "reload-failed",
  "stop-failed",
  "stopping",
]);

/** States in which a unit has processes or will have some. */
const UP: ReadonlySet<string> = new Set(["active", "activating", "deactivating", "reloading"]);

class Seen {
  readonly #placed: ReadonlyMap<string, PlacedUnit>;
  readonly #statuses: ReadonlyMap<string, UnitStatus>;
  readonly #members: ReadonlyMap<MachineId, Member>;
  readonly #oneshots: ReadonlySet<UnitName>;

  constructor(spec: ClusterSpec, snapshot: ClusterSnapshot) {
    this.#placed = new Map(
      snapshot.sets.flatMap((set) => set.placements.map((placed) => [`${placed.unit}/${set.machine}`, placed])),
    );
    this.#statuses = new Map(snapshot.statuses.map((status) => [`${status.unit}/${status.machine}`, status]));
    this.#members = new Map(snapshot.members.map((member) => [member.id, member]));
    this.#oneshots = new Set(spec.units.filter(isOneshot).map((unit) => unit.name));
  }

  judge({ unit, machine, hash, goal }: Placement): Verdict {
    const member = this.#members.get(machine);
    if (member?.present === false) return waiting({ code: "machine-absent" });
    const placed = this.#placed.get(`${unit}/${machine}`);
    if (member === undefined || placed?.hash !== hash || placed.goal !== goal) return waiting({ code: "not-placed" });
    const status = this.#statuses.get(`${unit}/${machine}`);
    if (status === undefined) return behind(member) ?? waiting({ code: "no-status" });
    const problem = status.problem;
    const isCurrent = status.hash === hash;
    if (problem !== null && (isCurrent || !OF_A_VERSION.has(problem.code))) {
      return { kind: "failed", because: { code: "problem", problem } };
    }
    if (!isCurrent) return behind(member) ?? waiting({ code: "other-version", runs: status.hash, wanted: hash });
    if (this.#fits(goal, status)) return { kind: "converged" };
    return waiting({ code: "state", active: status.active, sub: status.sub });
  }

  leaving(wanted: readonly Placement[]): { unit: UnitName; machine: MachineId; verdict: Verdict }[] {
    const kept = new Set(wanted.map((placement) => `${placement.unit}/${placement.machine}`));
    const gone = (key: string, machine: MachineId) => !kept.has(key) && this.#members.get(machine)?.present === true;
    return [...this.#statuses]
      .filter(([key, status]) => gone(key, status.machine) && UP.has(status.active))
      .map(([, { unit, machine }]) => ({ unit, machine, verdict: waiting({ code: "leaving" }) }));
  }

  /**
   * A loaded unit waits for whoever activates it, up or down. A launched one is active: a timer waiting, a socket listening, a
   * service running or remaining after its exit; only a oneshot is also done when it has ended well.
   */
  #fits(goal: Placement["goal"], { unit, active, result, started }: UnitStatus): boolean {
    if (goal === "loaded") return active !== "failed";
    if (active === "active" || active === "reloading") return true;
    return this.#oneshots.has(unit) && active === "inactive" && started && (result === "success" || result === "");
  }
}

function behind(member: Member): Verdict | null {
  const problem = member.problem ?? null;
  return problem === null ? null : waiting({ code: "machine-behind", problem });
}

function waiting(because: WaitingBecause): Verdict {
  return { kind: "waiting", because };
}

function inOrder(a: NotConverged<unknown>, b: NotConverged<unknown>): number {
  return compareText(a.unit, b.unit) || compareText(a.machine ?? "", b.machine ?? "");
}
