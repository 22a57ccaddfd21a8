import type { Machine } from "../cluster/machine.ts";
import type { Sha256, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { hashOnMachine } from "../spec/unit-on-machine.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/** On a machine, or (null) on one the commit does not name. */
export type UnitHashes = (unit: SpecUnit, machine: Pick<Machine, "name"> | null) => UnitHash;

/** Remembered for as long as the spec itself is: a plan asks three times for all of them, an engine with each pass. */
const known = new WeakMap<ClusterSpec, { readonly sha256: Sha256; readonly hashes: UnitHashes }>();

/**
 * The hash of a unit on a machine. Drop-ins of one machine are rare: every other unit is hashed once, and has the same hash
 * on all machines.
 */
export function unitHashes(spec: ClusterSpec, sha256: Sha256): UnitHashes {
  const before = known.get(spec);
  if (before?.sha256 === sha256) return before.hashes;
  const hashes = hashesOf(spec, sha256);
  known.set(spec, { sha256, hashes });
  return hashes;
}

function hashesOf(spec: ClusterSpec, sha256: Sha256): UnitHashes {
  const varying: ReadonlySet<UnitName> = new Set(
    spec.machines.flatMap((machine) => machine.dropins.map((dropin) => dropin.unit)),
  );
  const varies = (unit: SpecUnit) =>
    varying.size > 0 &&
    [unit, ...unit.companions].some(({ name }) => {
      const { template } = unitNameParts(name);
      return varying.has(name) || (template !== null && varying.has(template));
    });
  const remembered = new Map<string, UnitHash>();
  return (unit, machine) => {
    const name = machine !== null && varies(unit) ? machine.name : null;
    const key = name === null ? unit.name : `${unit.name}/${name}`;
    const before = remembered.get(key);
    if (before !== undefined) return before;
    const hash = hashOnMachine(unit, name, spec, sha256);
    remembered.set(key, hash);
    return hash;
  };
}
