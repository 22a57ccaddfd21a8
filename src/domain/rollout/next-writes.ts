import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { foreignPlaces } from "../cluster/foreign-places.ts";
import type { Machine } from "../cluster/machine.ts";
import { statusesOn } from "../cluster/seen-units.ts";
import type { MachineId, Sha256, UnitName } from "../names.ts";
import { placedNow } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import { planSetWrites, type SetWrite } from "../placement/plan-set-writes.ts";
import { diffPlacements } from "../plan/diff-placements.ts";
import { knownFiles } from "../plan/known-files.ts";
import type { WaitingFor } from "../report/engine-report.ts";
import { waitsOf } from "../report/waits-of.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type BaseSpec, isSpec } from "./base-versions.ts";
import { handOffs } from "./hand-off.ts";
import { judgeSettling, type Settling, settlingAfter } from "./judge-settling.ts";
import { type BakingSet, nextWave } from "./next-wave.ts";
import type { CanaryInput, RolloutChange, RolloutInput } from "./plan-rollout.ts";
import { prepareGate } from "./prepare-gate.ts";
import { replicaStates } from "./replica-states.ts";

export interface NextWritesInput {
  readonly spec: ClusterSpec;
  /** The spec of the release before, or null where it is not known: then a change of files is taken for a restart. */
  readonly released: ClusterSpec | null;
  /** Of the last rollout that ended well: where one after it did not, that is what is placed. Absent: the release before. */
  readonly base?: BaseSpec;
  readonly snapshot: ClusterSnapshot;
  /** Whether the snapshot has the statuses. Without them nothing that runs is taken down; what is new and what was lost is placed. */
  readonly hasStatuses: boolean;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  /** Where everything is to be in the end: `placeUnits`. */
  readonly wanted: readonly Placement[];
  /** Of the last answer. */
  readonly settling: readonly Settling[];
  /** Also what the last wave changed is watched until it is settled: a rollout ends with it. Absent: only what a wave waits for. */
  readonly watchesAll?: boolean;
  /** Which replicas go first, and whether those were up for long enough. Absent: nobody waits for canaries, as on the way back. */
  readonly canaries?: CanaryInput;
  readonly nowMs: number;
  readonly sha256: Sha256;
  /** As of `RolloutInput`. */
  readonly isLeaving?: (machine: MachineId) => boolean;
}

export interface NextWrites {
  readonly writes: readonly SetWrite[];
  /** What is to be placed now: as wanted, but for what is held. */
  readonly placements: readonly Placement[];
  /** All that is to change, with what systemd restarts along with it. */
  readonly changes: readonly RolloutChange[];
  /** How units do, what has to settle included. */
  readonly stateOf: RolloutInput["stateOf"];
  /** Sets whose canaries are changed, and whose others wait for them. */
  readonly baking: readonly BakingSet[];
  /** Changes whose wave has not come. */
  readonly held: readonly RolloutChange[];
  /** What the waves so far have changed and the next one waits for; empty where no wave is left. */
  readonly settling: readonly Settling[];
  /** Units that move, and the machine that is to stop each before it goes on; sorted by unit. */
  readonly handingOver: readonly HandOff[];
  /** What those that are held wait for, for people. */
  readonly waits: readonly WaitingFor[];
}

export interface HandOff {
  readonly unit: UnitName;
  /** The one that holds it still. */
  readonly machine: MachineId;
}

/** What an engine may write now on the way to the wanted placements: the next wave, and the repair of records, which no wave holds up. */
export function nextWrites(input: NextWritesInput): NextWrites {
  const { spec, released, snapshot, machines, wanted, sha256 } = input;
  const before = placedNow(snapshot);
  const present = new Set(machines.filter((machine) => machine.presence === "present").map((machine) => machine.id));
  const isAway = (machine: MachineId) => !present.has(machine);
  const states = {
    spec,
    before,
    isAway,
    stateOf: input.hasStatuses ? replicaStates(spec, snapshot, before) : () => "unknown" as const,
    invocationOf: invocations(snapshot),
  };
  const { settling, stateOf } = judgeSettling(input.settling, states, input.nowMs);
  const changes = changesTo(input, before);
  const { placements, made, held, unprepared, baking } = nextWave(
    {
      spec,
      released,
      before,
      after: wanted,
      changes,
      isAway,
      stateOf,
      ...(input.isLeaving && { isLeaving: input.isLeaving }),
      ...(input.canaries && { canaries: input.canaries }),
    },
    changes.length === 0 ? () => false : handOffs({ spec, snapshot, machines }),
    changes.length === 0 ? () => null : prepareGate({ snapshot, machines }),
  );
  const handingOver = placements.flatMap(({ unit, machine, goal }) => (goal === "inactive" ? [{ unit, machine }] : []));
  return {
    placements,
    writes: planSetWrites(placements, globalsOf(spec, snapshot, placements), snapshot, sha256),
    changes,
    stateOf,
    baking,
    held,
    settling: held.length === 0 && input.watchesAll !== true ? [] : [...settling, ...settlingAfter(made)],
    handingOver,
    waits: waitsOf({ spec, before, isAway, stateOf, held, handingOver, unprepared }),
  };
}

/** What they are read from. */
type ChangesOf = Pick<NextWritesInput, "spec" | "released" | "base" | "machines"> & {
  readonly before: ReturnType<typeof placedNow>;
  readonly members: ClusterSnapshot["members"];
};

/** A status changes nothing of what is to change: of the same placements it is the same. */
const known = new WeakMap<
  readonly Placement[],
  { readonly of: ChangesOf; readonly changes: readonly RolloutChange[] }
>();

function changesTo(
  { spec, released, base = null, snapshot, machines, wanted, sha256 }: NextWritesInput,
  before: ChangesOf["before"],
): readonly RolloutChange[] {
  const { members } = snapshot;
  const last = known.get(wanted);
  const isSame =
    last?.of.before === before &&
    last.of.members === members &&
    last.of.spec === spec &&
    last.of.released === released &&
    last.of.base === base &&
    last.of.machines === machines;
  if (isSame) return last.changes;
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  const files = knownFiles([spec, ...new Set([released, base].filter(isSpec))], names, sha256);
  const changes = diffPlacements(before, wanted, spec, files, foreignPlaces(snapshot, before));
  known.set(wanted, { of: { spec, released, base, machines, before, members }, changes });
  return changes;
}

function invocations({ statuses }: ClusterSnapshot): (unit: UnitName, machine: MachineId) => string {
  const told = statusesOn(statuses);
  return (unit, machine) => told.get(machine)?.get(unit)?.invocation ?? "";
}

/**
 * Units that are not to be assigned to one machine: as the commit has them; those it has no more, as they are still placed; and one
 * that was global before and still waits to leave its machines.
 */
export function globalsOf(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  placements: readonly Placement[],
): ReadonlySet<UnitName> {
  const globals = new Set(spec.units.filter((unit) => unit.options.global).map((unit) => unit.name));
  const single = new Set([
    ...spec.units.map((unit) => unit.name),
    ...snapshot.assignments.map((assignment) => assignment.unit),
    ...(snapshot.damagedAssignments ?? []).map((assignment) => assignment.unit),
  ]);
  placements.forEach(({ unit }, index) => {
    if (!single.has(unit) || placements[index - 1]?.unit === unit) globals.add(unit);
  });
  return globals;
}
