import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { judgeUnitHealth } from "../cluster/health-table.ts";
import { SeenUnits, statusesOn } from "../cluster/seen-units.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { ReplicaState } from "./plan-rollout.ts";

/**
 * How each unit does where the registry has it, by what the agents say. One that is on its way up, or of which its agent has not
 * spoken yet, is `starting`: something may come of it. One that failed, ended, is between two attempts, or whose machine
 * refuses what it was given is `down`: who waits for it would wait for a person.
 */
export function replicaStates(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): (unit: UnitName, machine: MachineId) => ReplicaState {
  const seen = new SeenUnits(spec, snapshot);
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const statuses = statusesOn(snapshot.statuses);
  // One pass of an engine asks several times for each.
  const known = new Map<PlacedSide, ReplicaState>();
  return (unit, machine) => {
    const side = before.get(unit)?.find((one) => one.machine === machine);
    if (side === undefined) return "down";
    const state = known.get(side) ?? judge(unit, side);
    known.set(side, state);
    return state;
  };

  function judge(unit: UnitName, side: PlacedSide): ReplicaState {
    // Its machine is to let it go.
    if (side.goal === "inactive") return "down";
    const verdict = seen.judge({ unit, ...side });
    if (verdict.kind === "converged") return "up";
    if (verdict.kind === "failed" || verdict.because.code === "machine-behind") return "down";
    if (verdict.because.code === "unhealthy" && verdict.because.state === "failing") return "down";
    if (verdict.because.code !== "state") return "starting";
    const status = statuses.get(side.machine)!.get(unit)!;
    return judgeUnitHealth(units.get(unit), side.goal, status) === "down" ? "down" : "starting";
  }
}
