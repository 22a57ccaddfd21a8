import { canonicalJson } from "../canonical-json.ts";
import { compareText, type Sha256, type UnitHash, type UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { unitNameParts } from "../unit/unit-name.ts";
import type { ClusterSpec, MachineDropin, SpecDropin, SpecFile, SpecUnit } from "./cluster-spec.ts";

/** Everything of one unit that lands on one machine, sorted by path, and the hash of exactly that. */
export interface UnitOnMachine {
  readonly hash: UnitHash;
  readonly files: readonly InstalledFile[];
}

/**
 * What of a unit is installed on the machine of that name: its fragment, its drop-ins, the templates that travel with it,
 * and the machine's own drop-ins, which win over those of the same name. `null` is a machine the commit does not name.
 */
export function unitOnMachine(
  unit: SpecUnit,
  machineName: string | null,
  spec: Pick<ClusterSpec, "machines">,
  sha256: Sha256,
): UnitOnMachine {
  const overlays =
    spec.machines.find((machine) => machine.match === null && machine.key === machineName)?.dropins ?? [];
  const files = [unit, ...unit.companions]
    .flatMap((one) => installed(one.name, one.fragment, one.dropins, overlays))
    .sort((a, b) => compareText(a.path, b.path));
  return { hash: sha256(canonicalJson(files.map(({ path, text }) => ({ path, text })))) as UnitHash, files };
}

function installed(
  name: UnitName,
  fragment: SpecFile,
  dropins: readonly SpecDropin[],
  overlays: readonly MachineDropin[],
): readonly InstalledFile[] {
  const byName = new Map(dropins.map((dropin) => [dropin.name, dropin.text]));
  const { template } = unitNameParts(name);
  for (const meant of template === null || template === name ? [name] : [template, name]) {
    for (const overlay of overlays) if (overlay.unit === meant) byName.set(overlay.name, overlay.text);
  }
  return [
    { path: name, text: fragment.text },
    ...[...byName].map(([conf, text]) => ({ path: `${name}.d/${conf}`, text })),
  ];
}
