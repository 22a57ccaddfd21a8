import type { Machine } from "../cluster/machine.ts";
import type { MachineId, Sha256, UnitHash, UnitName } from "../names.ts";
import { unitHashes } from "../placement/unit-hashes.ts";
import type { ClusterSpec, SpecUnit, UnitGoal } from "../spec/cluster-spec.ts";

/** What a release before has to say of versions. Null: there was none, nothing of the cluster is older. `unknown`: there was one, and nobody can read it. */
export type BaseSpec = ClusterSpec | null | "unknown";

export function isSpec(base: BaseSpec): base is ClusterSpec {
  return base !== null && base !== "unknown";
}

/** What of a unit is to be on one machine. */
export interface Version {
  readonly hash: UnitHash;
  readonly goal: UnitGoal;
}

/** The units of a release before, and which version of each a machine would have by it. */
export interface BaseVersions {
  readonly isKnown: boolean;
  /** Null: it did not have the unit, or did not place it anywhere. */
  readonly unit: (unit: UnitName) => SpecUnit | null;
  /** As `unit` has it: a unit's hash is its machine's. */
  readonly on: (unit: UnitName, machine: MachineId) => Version | null;
}

export function baseVersions(base: BaseSpec, machines: readonly Machine[], sha256: Sha256): BaseVersions {
  if (base === null || base === "unknown") return { isKnown: base === null, unit: () => null, on: () => null };
  const units = new Map(base.units.filter(({ goal }) => goal !== "inactive").map((unit) => [unit.name, unit]));
  // Under an id the base may have had another name for it.
  const named = new Map(
    base.machines.flatMap(({ id, key, match }) => (id === null || match !== null ? [] : [[id, key]])),
  );
  const names = new Map(machines.map(({ id, name }) => [id, named.get(id) ?? name]));
  const hashOf = unitHashes(base, sha256);
  return {
    isKnown: true,
    unit: (name) => units.get(name) ?? null,
    on: (name, machine) => {
      const unit = units.get(name);
      if (unit === undefined) return null;
      const machineName = names.get(machine);
      return { hash: hashOf(unit, machineName === undefined ? null : { name: machineName }), goal: unit.goal };
    },
  };
}
