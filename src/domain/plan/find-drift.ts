import { CANNOT_LOOK, type ClusterSnapshot, type MachineSet, type PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { judgeSet } from "../cluster/judge-set.ts";
import type { Machine } from "../cluster/machine.ts";
import type { UnitDrift } from "../drift/unit-drift.ts";
import { compareText, type MachineId, type Sha256, type UnitHash, type UnitName } from "../names.ts";
import { placedNow } from "../placement/placed-now.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { indexUnits, type UnitIndexEntry } from "../spec/index-units.ts";

/** Something that is not as the release in force has it, whoever changed it: it is no part of what a commit changes. */
export interface Drift {
  readonly where: "registry" | "machine";
  /** Null where it is about a machine's whole set. */
  readonly unit: UnitName | null;
  /** Null where it is about no machine. */
  readonly machine: MachineId | null;
  readonly because: DriftReason;
}

export type DriftReason =
  /** Its set has no header, or another content than its header says: agents keep what they have. */
  | { readonly code: "set-incomplete" }
  /** A unit is placed that the release does not have. */
  | { readonly code: "not-in-release" }
  /** Placed with other files than the release's: by hand, or a rollout has not come to it yet. */
  | { readonly code: "other-than-release"; readonly placed: UnitHash; readonly released: UnitHash }
  /** The index of the release says something else of it than the commit does. */
  | { readonly code: "index-edited" }
  | { readonly code: "index-missing" }
  /** Its machine runs other files than it was given. */
  | { readonly code: "other-version"; readonly runs: UnitHash | null; readonly placed: UnitHash }
  /** Its agent cannot make it what it should be: a foreign unit of that name, a file in /etc that shadows it, a mask. */
  | { readonly code: "blocked"; readonly problem: string; readonly detail: string }
  /** Somebody changed it on its machine, and it was not put back. */
  | ({ readonly code: "changed-by-hand" } & UnitDrift)
  /** It is to run, and does not; nor did it fail. */
  | { readonly code: "not-running"; readonly active: string; readonly sub: string }
  /** It runs where nothing placed it. */
  | { readonly code: "left-over" };

export interface DriftInput {
  readonly snapshot: ClusterSnapshot;
  /** The spec of the release in force; null where nobody here knows it: then only what contradicts itself is found. */
  readonly released: ClusterSpec | null;
  readonly machines: readonly Machine[];
  /** The registry's index of that release, or null where it was not read. */
  readonly index: readonly UnitIndexEntry[] | null;
  readonly sha256: Sha256;
}

/** What a person, or a fault, changed in the registry or on a machine. Sorted by unit, then machine. A failed unit is a failure, not drift. */
export function findDrift(input: DriftInput): Drift[] {
  if (input.snapshot.release === null) return [];
  return [...incompleteSets(input), ...otherPlacements(input), ...editedIndex(input), ...onMachines(input)].sort(
    (a, b) =>
      compareText(a.unit ?? "", b.unit ?? "") ||
      compareText(a.machine ?? "", b.machine ?? "") ||
      compareText(a.because.code, b.because.code),
  );
}

function incompleteSets({ snapshot, sha256 }: DriftInput): Drift[] {
  const isWhole = (set: MachineSet) => judgeSet(set, snapshot.identity?.epoch ?? 0, null, sha256).kind === "accept";
  return snapshot.sets
    .filter((set) => !isWhole(set))
    .map(({ machine }) => ({ where: "registry", unit: null, machine, because: { code: "set-incomplete" } }));
}

function otherPlacements({ snapshot, released, machines, sha256 }: DriftInput): Drift[] {
  if (released === null) return [];
  const units = new Map(released.units.map((unit) => [unit.name, unit]));
  const byId = new Map(machines.map((machine) => [machine.id, machine]));
  const hashOf = unitHashes(released, sha256);
  return [...placedNow(snapshot)].flatMap(([name, sides]) =>
    sides.flatMap((side): Drift[] => {
      const [unit, machine] = [units.get(name), byId.get(side.machine)];
      const where = { where: "registry", unit: name, machine: side.machine } as const;
      if (unit === undefined) return [{ ...where, because: { code: "not-in-release" } }];
      const wanted = machine === undefined ? side.hash : hashOf(unit, machine);
      if (wanted === side.hash) return [];
      return [{ ...where, because: { code: "other-than-release", placed: side.hash, released: wanted } }];
    }),
  );
}

function editedIndex({ released, index, sha256 }: DriftInput): Drift[] {
  if (released === null || index === null) return [];
  if (index.length === 0 && released.units.length > 0) {
    return [{ where: "registry", unit: null, machine: null, because: { code: "index-missing" } }];
  }
  const shown = new Map(index.map((entry) => [entry.name, JSON.stringify(inOneOrder(entry))]));
  const meant = new Map(indexUnits(released, sha256).map((entry) => [entry.name, JSON.stringify(inOneOrder(entry))]));
  return [...new Set([...shown.keys(), ...meant.keys()])]
    .filter((name) => shown.get(name) !== meant.get(name))
    .map((unit) => ({ where: "registry", unit, machine: null, because: { code: "index-edited" } }));
}

function inOneOrder({ name, goal, hash, global, group, description }: UnitIndexEntry): readonly unknown[] {
  return [name, goal, hash, global, group, description];
}

/** What agents say of themselves on top of a unit that failed: no drift. */
const FAILURES: ReadonlySet<string> = new Set([
  "failed",
  "start-failed",
  "reload-failed",
  "restarting",
  "stop-failed",
  "stopping",
  "timeout",
]);
const RUNNING: ReadonlySet<string> = new Set(["active", "reloading"]);

function onMachines({ snapshot }: DriftInput): Drift[] {
  const canTell = snapshot.members.filter(({ present, problem }) => present && problem?.code !== CANNOT_LOOK);
  const present = new Set(canTell.map((member) => member.id));
  const placed = new Map<MachineId, Map<UnitName, PlacedUnit>>();
  const placedOn = (machine: MachineId) => {
    const known = placed.get(machine) ?? new Map<UnitName, PlacedUnit>();
    placed.set(machine, known);
    return known;
  };
  for (const assigned of snapshot.assignments) placedOn(assigned.machine).set(assigned.unit, assigned);
  for (const { machine, placements } of snapshot.sets) {
    for (const placement of placements) placedOn(machine).set(placement.unit, placement);
  }
  return snapshot.statuses.flatMap(({ unit, machine, hash, active, sub, started, problem, drift }): Drift[] => {
    if (!present.has(machine)) return [];
    const where = { where: "machine", unit, machine } as const;
    const placement = placed.get(machine)?.get(unit);
    if (placement === undefined) {
      return RUNNING.has(active) ? [{ ...where, because: { code: "left-over" } }] : [];
    }
    if (drift !== undefined && drift.outcome !== "corrected") {
      return [{ ...where, because: { code: "changed-by-hand", ...drift } }];
    }
    if (problem !== null) {
      if (FAILURES.has(problem.code)) return [];
      return [{ ...where, because: { code: "blocked", problem: problem.code, detail: problem.detail } }];
    }
    if (hash !== placement.hash) {
      return [{ ...where, because: { code: "other-version", runs: hash, placed: placement.hash } }];
    }
    const isDown = active === "inactive" && !started;
    return placement.goal === "launched" && isDown ? [{ ...where, because: { code: "not-running", active, sub } }] : [];
  });
}
