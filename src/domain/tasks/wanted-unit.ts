import { unitKind } from "../cluster/health-table.ts";
import type { Sha256 } from "../names.ts";
import type { ClusterSpec, SpecUnit, UnitGoal } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import type { WantedUnit } from "./task.ts";

/** A unit of the commit as one machine, under the commit's name for it, is to have it. */
export function wantedUnit(
  unit: SpecUnit,
  machineName: string,
  spec: Pick<ClusterSpec, "machines">,
  goal: UnitGoal,
  sha256: Sha256,
): WantedUnit {
  const { hash, files } = unitOnMachine(unit, machineName, spec, sha256);
  return {
    name: unit.name,
    service: unit.service,
    goal,
    hash,
    files,
    after: unit.after,
    oneshot: unitKind(unit) === "oneshot",
    ...(unit.options.announce === undefined ? {} : { announce: unit.options.announce }),
    ...(unit.options.healthChecks === undefined ? {} : { healthChecks: unit.options.healthChecks }),
  };
}
