import type { MachineId, Sha256, UnitHash, UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import type { InstalledFile } from "../tasks/task.ts";

/** The files behind a hash, or null where no spec at hand has them. */
export type KnownFiles = (unit: UnitName, machine: MachineId, hash: UnitHash) => readonly InstalledFile[] | null;

/**
 * The files of units as specs at hand have them. A hash may be older than the release in force (a rollout stopped half-way): then
 * nobody here knows its files, and nothing is guessed.
 */
export function knownFiles(
  specs: readonly ClusterSpec[],
  machineNames: ReadonlyMap<MachineId, string>,
  sha256: Sha256,
): KnownFiles {
  const units = specs.map((spec) => ({ spec, byName: new Map(spec.units.map((unit) => [unit.name, unit])) }));
  return (name, machine, hash) => {
    for (const { spec, byName } of units) {
      const unit: SpecUnit | undefined = byName.get(name);
      if (unit === undefined) continue;
      const installed = unitOnMachine(unit, machineNames.get(machine) ?? null, spec, sha256);
      if (installed.hash === hash) return installed.files;
    }
    return null;
  };
}
