import { canonicalJson, type Json } from "../canonical-json.ts";
import { compareText, type Sha256, type UnitHash, type UnitName } from "../names.ts";
import { SECRETS_ROOT } from "../secret/secret-name.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { isQuadlet, unitNameParts } from "../unit/unit-name.ts";
import { withoutFleetSection } from "../unit/without-fleet-section.ts";
import type { ClusterSpec, MachineDropin, SpecDropin, SpecFile, SpecSecret, SpecUnit } from "./cluster-spec.ts";
import { deliveredDigest } from "./delivered-digest.ts";
import { type DeliveredFile, type Delivery, deliveredFolder } from "./delivered-file.ts";

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
  const files = filesOnMachine(unit, machineName, spec).map(({ source: _source, ...file }) => file);
  const folder = deliveredFolder(unit.service);
  const digests = new Map(unit.files?.map((file) => [`${folder}/${file.name}`, deliveredDigest(file, sha256)]));
  const content = files.map(({ path, text, delivery }): Json => {
    if (delivery === undefined) return { path, text };
    return { path, digest: digests.get(path) ?? sha256(canonicalJson({ text, ...delivery })) };
  });
  return { hash: sha256(canonicalJson(content)) as UnitHash, files };
}

/** Only the hash: of a unit that is one file, as most are, without making lists of it. Every decision about a cluster asks for all of them. */
export function hashOnMachine(
  unit: SpecUnit,
  machineName: string | null,
  spec: Pick<ClusterSpec, "machines">,
  sha256: Sha256,
): UnitHash {
  if (
    machineName !== null ||
    unit.dropins.length > 0 ||
    unit.companions.length > 0 ||
    isQuadlet(unit.name) ||
    unit.files !== undefined ||
    unit.secrets !== undefined
  ) {
    return unitOnMachine(unit, machineName, spec, sha256).hash;
  }
  const [path, text] = [JSON.stringify(unit.name), JSON.stringify(unit.fragment.text)];
  return sha256(`[{"path":${path},"text":${text}}]`) as UnitHash;
}

/** A file as it is installed, and where in the repository it comes from. */
export interface SourcedFile extends InstalledFile {
  readonly source: string;
}

/** The files of `unitOnMachine`, each with its place in the repository; for people. */
export function filesOnMachine(
  unit: SpecUnit,
  machineName: string | null,
  spec: Pick<ClusterSpec, "machines">,
): readonly SourcedFile[] {
  const overlays =
    spec.machines.find((machine) => machine.match === null && machine.key === machineName)?.dropins ?? [];
  return [unit, ...unit.companions]
    .flatMap((one) => installed(one.name, one.fragment, one.dropins, overlays))
    .concat((unit.files ?? []).map((file) => delivered(unit.service, file)))
    .concat((unit.secrets ?? []).map((secret) => sealed(unit.service, secret)))
    .sort((a, b) => compareText(a.path, b.path));
}

function delivered(service: UnitName, { name, path, text, mode, owner, group, encoding }: DeliveredFile): SourcedFile {
  const delivery = { mode, owner, group, ...(encoding === undefined ? {} : { encoding }) };
  return { path: `${deliveredFolder(service)}/${name}`, text, delivery, source: path };
}

/** As it is in git: what is in it the machine alone can put there. */
function sealed(service: UnitName, { name, path, text, as }: SpecSecret): SourcedFile {
  return { path: `${SECRETS_ROOT}/${service}/${name}`, text, delivery: { ...SEALED, ...as }, source: path };
}

const SEALED: Delivery = { mode: "0600", owner: "root", group: "root", encoding: "age" };

function installed(
  name: UnitName,
  fragment: SpecFile,
  dropins: readonly SpecDropin[],
  overlays: readonly MachineDropin[],
): readonly SourcedFile[] {
  const textOf = ({ path, text }: SpecFile) => (isQuadlet(name) ? withoutFleetSection(path, text) : text);
  const first = { path: name, text: textOf(fragment), source: fragment.path };
  if (dropins.length === 0 && overlays.length === 0) return [first];
  const byName = new Map<string, SpecFile>(dropins.map((dropin) => [dropin.name, dropin]));
  const { template } = unitNameParts(name);
  for (const meant of template === null || template === name ? [name] : [template, name]) {
    for (const overlay of overlays) if (overlay.unit === meant) byName.set(overlay.name, overlay);
  }
  const rest = [...byName].map(([conf, file]) => ({
    path: `${name}.d/${conf}`,
    text: textOf(file),
    source: file.path,
  }));
  return [first, ...rest];
}
