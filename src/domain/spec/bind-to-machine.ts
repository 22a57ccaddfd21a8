import type { Diagnostic } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "../unit/effective-unit.ts";
import type { FleetOptions } from "../unit/fleet-options.ts";
import { unitNameParts } from "../unit/unit-name.ts";
import type { FolderOwner } from "./machine-folders.ts";

/**
 * The options of a unit whose file lies in a machine's folder: as if it said `MachineID=` of that machine. What it could not say beside
 * that is an error. Its text stays what it is: moving the file of a unit to the folder of the machine it runs on restarts nothing.
 */
export function bindToMachine(
  { machine, id }: FolderOwner,
  name: UnitName,
  unit: EffectiveUnit,
  options: FleetOptions,
): { readonly options: FleetOptions; readonly diagnostics: readonly Diagnostic[] } {
  const bound = { ...options, machineId: machine };
  // A template runs nowhere; its instances are read with its options.
  if (unitNameParts(name).isTemplate) return { options: bound, diagnostics: [] };
  const { machineId } = options;
  const against = [
    ...(machineId === null || machineId === machine || machineId === id ? [] : ["MachineID"]),
    ...(options.machineOf.length === 0 ? [] : ["MachineOf"]),
    ...(options.global ? ["Global"] : []),
    ...(options.replaces.length === 0 ? [] : ["Replaces"]),
  ];
  const diagnostics = against.map((option): Diagnostic => {
    const at = unit.last("X-Fleet", option)?.at ?? unit.sectionAt("X-Fleet") ?? { path: unit.path };
    const saw = `${option}= in ${name}, which lies in a folder of ${machine} and is bound to it`;
    const next = "remove it, or move the file to a folder of paths:";
    return { code: "machine-paths-option", severity: "error", at, saw, next };
  });
  return { options: bound, diagnostics };
}
