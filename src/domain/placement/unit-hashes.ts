import type { Machine } from "../cluster/machine.ts";
import type { Sha256, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/**
 * The hash of a unit on a machine. Drop-ins of one machine are rare: every other unit is hashed once, and has the same hash
 * on all machines.
 */
export function unitHashes(spec: ClusterSpec, sha256: Sha256): (unit: SpecUnit, machine: Machine) => UnitHash {
  const varying: ReadonlySet<UnitName> = new Set(
    spec.machines.flatMap((machine) => machine.dropins.map((dropin) => dropin.unit)),
  );
  const known = new Map<string, UnitHash>();
  return (unit, machine) => {
    const varies = [unit, ...unit.companions].some(({ name }) => {
      const { template } = unitNameParts(name);
      return varying.has(name) || (template !== null && varying.has(template));
    });
    const key = varies ? `${unit.name}/${machine.name}` : unit.name;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { hash } = unitOnMachine(unit, varies ? machine.name : null, spec, sha256);
    known.set(key, hash);
    return hash;
  };
}
