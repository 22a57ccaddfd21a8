import type { UnitDrift } from "../drift/unit-drift.ts";
import type { HealthState } from "../health/judge-health.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { Placement, Unplaced } from "../placement/placement.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import {
  CANNOT_LOOK,
  type ClusterSnapshot,
  type Member,
  NOT_CONFIRMED,
  type PlacedUnit,
  type StatusProblem,
  type UnitStatus,
} from "./cluster-snapshot.ts";
import { hasProcesses, judgeUnitHealth } from "./health-table.ts";
import { isDamagedSet } from "./told-sets.ts";

export type WaitingBecause =
  | { readonly code: "not-placed" }
  | { readonly code: "no-machine"; readonly unplaced: Unplaced }
  | { readonly code: "machine-absent" }
  /** Its agent keeps an older set than it was given. */
  | { readonly code: "machine-behind"; readonly problem: StatusProblem }
  /** Its agent is there and cannot look at its units: what it said of them is old. */
  | { readonly code: "machine-blind"; readonly problem: StatusProblem }
  | { readonly code: "no-status" }
  | { readonly code: "other-version"; readonly runs: UnitHash | null; readonly wanted: UnitHash }
  | { readonly code: "state"; readonly active: string; readonly sub: string }
  /** It is up, and its own checks do not pass. */
  | { readonly code: "unhealthy"; readonly state: Exclude<HealthState, "passing">; readonly detail: string }
  /** It should be gone and still runs. */
  | { readonly code: "leaving" };

export type FailedBecause =
  | { readonly code: "unplaceable"; readonly unplaced: Unplaced }
  | { readonly code: "problem"; readonly problem: StatusProblem }
  /** Somebody stopped or masked it on its machine, where its policy or its agent leaves it so. */
  | ({ readonly code: "changed-by-hand" } & UnitDrift)
  /** One of the same set of replicas failed when its wave had come: the engine changes no other until it runs. */
  | { readonly code: "held"; readonly by: UnitName }
  /** The rollout that was to bring it does not go on, and nobody knows a unit that failed. */
  | { readonly code: "stopped"; readonly phase: "held" | "aborted" | "rolled-back" };

export type Verdict =
  | { readonly kind: "converged" }
  | { readonly kind: "waiting"; readonly because: WaitingBecause }
  | { readonly kind: "failed"; readonly because: FailedBecause };

/** A unit on a machine, as it is to be. */
export type Wanted = Pick<Placement, "unit" | "machine" | "hash" | "goal">;

/** Problems of a process, not of an agent: they speak of the version that ran, so an older version's are no news. */
const OF_A_VERSION: ReadonlySet<string> = new Set([
  "failed",
  "start-failed",
  "reload-failed",
  "restarting",
  "stop-failed",
  "stopping",
]);

/** One for each snapshot and spec: an engine asks it several times in one pass. */
export function seenUnits(spec: ClusterSpec, snapshot: ClusterSnapshot): SeenUnits {
  const known = knownSights.get(snapshot);
  if (known?.spec === spec) return known.seen;
  const seen = new SeenUnits(spec, snapshot);
  knownSights.set(snapshot, { spec, seen });
  return seen;
}

const knownSights = new WeakMap<ClusterSnapshot, { readonly spec: ClusterSpec; readonly seen: SeenUnits }>();

/** What the agents say of each unit, held against what it is to be. */
export class SeenUnits {
  readonly #placed: OnMachines<PlacedUnit>;
  readonly #snapshot: ClusterSnapshot;
  #damaged: ReadonlySet<MachineId> | null = null;
  readonly #statuses: readonly UnitStatus[];
  readonly #told: OnMachines<UnitStatus>;
  readonly #members: ReadonlyMap<MachineId, Member>;
  readonly #units: ReadonlyMap<UnitName, SpecUnit>;
  readonly #verdicts = new Map<MachineId, Map<UnitName, Verdict>>();

  constructor(spec: Pick<ClusterSpec, "units">, snapshot: ClusterSnapshot) {
    this.#snapshot = snapshot;
    this.#placed = placedOn(snapshot.sets);
    this.#statuses = snapshot.statuses;
    this.#told = statusesOn(snapshot.statuses);
    this.#members = new Map(snapshot.members.map((member) => [member.id, member]));
    this.#units = unitsByName(spec.units);
  }

  judge(wanted: Wanted): Verdict {
    const { unit, machine, hash, goal } = wanted;
    const member = this.#members.get(machine);
    if (member?.present === false) return waiting({ code: "machine-absent" });
    const placed = this.#placed.get(machine)?.get(unit);
    if (member === undefined || placed?.hash !== hash || placed.goal !== goal) return waiting({ code: "not-placed" });
    const verdicts = this.#verdicts.get(machine) ?? new Map<UnitName, Verdict>();
    this.#verdicts.set(machine, verdicts);
    const verdict = verdicts.get(unit) ?? this.#judgeThere(wanted, member);
    verdicts.set(unit, verdict);
    return verdict;
  }

  /**
   * As `judge`, of what is there: a set that was taken out of the registry stops nothing (protocol rule 2), so what it does not show any more
   * is as its machine says it is.
   */
  judgeKept(kept: Wanted): Verdict {
    const member = this.#members.get(kept.machine);
    const isShown = this.#placed.get(kept.machine)?.has(kept.unit) === true;
    if (isShown || member?.present !== true || !this.#isDamaged(member)) return this.judge(kept);
    return this.#judgeThere(kept, member);
  }

  #isDamaged({ id }: Member): boolean {
    if (this.#damaged === null) {
      const { identity, sets, members } = this.#snapshot;
      const shown = new Map(sets.map((set) => [set.machine, set]));
      const damaged = members.filter((member) => isDamagedSet(shown.get(member.id), identity?.epoch ?? 0));
      this.#damaged = new Set(damaged.map((member) => member.id));
    }
    return this.#damaged.has(id);
  }

  /** Of what its machine was told to have. */
  #judgeThere({ unit, machine, hash, goal }: Wanted, member: Member): Verdict {
    if (member.problem?.code === CANNOT_LOOK) return waiting({ code: "machine-blind", problem: member.problem });
    const status = this.#told.get(machine)?.get(unit);
    if (status === undefined) return behind(member) ?? waiting({ code: "no-status" });
    const problem = status.problem;
    const isCurrent = status.hash === hash;
    if (problem !== null && isAbout(problem, hash, isCurrent)) {
      return { kind: "failed", because: { code: "problem", problem } };
    }
    if (!isCurrent) return behind(member) ?? waiting({ code: "other-version", runs: status.hash, wanted: hash });
    const health = judgeUnitHealth(this.#units.get(unit), goal, status);
    if (health === "healthy" && goal === "launched" && status.health !== undefined) {
      const { state, detail } = status.health;
      if (state !== "passing") return waiting({ code: "unhealthy", state, detail });
    }
    if (health === "healthy" || this.#isOverlooked(status)) return { kind: "converged" };
    if (status.drift?.outcome === "detected" || status.drift?.outcome === "given-up") {
      return { kind: "failed", because: { code: "changed-by-hand", ...status.drift } };
    }
    return waiting({ code: "state", active: status.active, sub: status.sub });
  }

  leaving(wanted: readonly Placement[]): { unit: UnitName; machine: MachineId; verdict: Verdict }[] {
    const kept = new Set(wanted.map((placement) => `${placement.unit}/${placement.machine}`));
    const isGone = ({ unit, machine }: UnitStatus) =>
      !kept.has(`${unit}/${machine}`) && this.#members.get(machine)?.present === true;
    return this.#statuses
      .filter((status) => hasProcesses(status.active) && isGone(status))
      .map(({ unit, machine, problem }) => ({ unit, machine, verdict: stillThere(problem) }));
  }

  /** `drift: off`: once this version was started, what becomes of it is nobody's concern, unless it fails. */
  #isOverlooked({ unit, active, started }: UnitStatus): boolean {
    return active === "inactive" && started && this.#units.get(unit)?.drift === "off";
  }
}

/** By machine, then unit. */
type OnMachines<T> = ReadonlyMap<MachineId, ReadonlyMap<UnitName, T>>;

/** An engine asks at every pass, of sets that have not changed since, and several times of the same statuses. */
const knownSets = new WeakMap<ClusterSnapshot["sets"], OnMachines<PlacedUnit>>();
const knownStatuses = new WeakMap<ClusterSnapshot["statuses"], OnMachines<UnitStatus>>();

/** What each machine's set holds. */
export function placedOn(sets: ClusterSnapshot["sets"]): OnMachines<PlacedUnit> {
  const known = knownSets.get(sets);
  if (known !== undefined) return known;
  const placed = new Map(
    sets.map((set) => [set.machine, new Map(set.placements.map((placement) => [placement.unit, placement]))]),
  );
  knownSets.set(sets, placed);
  return placed;
}

/** What each machine says of its units. */
export function statusesOn(statuses: readonly UnitStatus[]): OnMachines<UnitStatus> {
  const known = knownStatuses.get(statuses);
  if (known !== undefined) return known;
  const told = new Map<MachineId, Map<UnitName, UnitStatus>>();
  for (const status of statuses) {
    const others = told.get(status.machine);
    if (others === undefined) told.set(status.machine, new Map([[status.unit, status]]));
    else others.set(status.unit, status);
  }
  knownStatuses.set(statuses, told);
  return told;
}

function behind(member: Member): Verdict | null {
  const problem = member.problem ?? null;
  return problem === null ? null : waiting({ code: "machine-behind", problem });
}

function isAbout({ code, of }: StatusProblem, hash: UnitHash, isCurrent: boolean): boolean {
  if (of !== undefined) return of === hash;
  return isCurrent || !OF_A_VERSION.has(code);
}

/** What was put back stays until somebody changes something. */
function stillThere(problem: StatusProblem | null): Verdict {
  if (problem?.code !== NOT_CONFIRMED) return waiting({ code: "leaving" });
  return { kind: "failed", because: { code: "problem", problem } };
}

function waiting(because: WaitingBecause): Verdict {
  return { kind: "waiting", because };
}
