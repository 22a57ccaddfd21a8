import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { judgeUnitHealth } from "../cluster/health-table.ts";
import { seenUnits, statusesOn } from "../cluster/seen-units.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import type { ReplicaState } from "./plan-rollout.ts";

/**
 * How each unit does where the registry has it, by what the agents say. One that is on its way up, or of which its agent has not
 * spoken yet, is `starting`: something may come of it. One that failed, ended, is between two attempts, or whose machine
 * refuses what it was given is `down`: who waits for it would wait for a person. Of a set that was wiped what its machine keeps does as well as
 * before: were it not up, its budget would count for nothing and everybody would be changed at once.
 */
export function replicaStates(
  spec: ClusterSpec,
  snapshot: ClusterSnapshot,
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
): (unit: UnitName, machine: MachineId) => ReplicaState {
  const seen = seenUnits(spec, snapshot);
  const units = unitsByName(spec.units);
  const statuses = statusesOn(snapshot.statuses);
  return (unit, machine) => {
    const side = before.get(unit)?.find((one) => one.machine === machine);
    // Its machine is to let it go.
    if (side === undefined || side.goal === "inactive") return "down";
    const verdict = seen.judgeKept({ unit, ...side });
    if (verdict.kind === "converged") return "up";
    if (verdict.kind === "failed" || verdict.because.code === "machine-behind") return "down";
    if (verdict.because.code === "unhealthy" && verdict.because.state === "failing") return "down";
    if (verdict.because.code !== "state") return "starting";
    const status = statuses.get(machine)!.get(unit)!;
    return judgeUnitHealth(units.get(unit), side.goal, status) === "down" ? "down" : "starting";
  };
}
