import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { findSecretUses } from "./find-secret-uses.ts";
import type { RecipientTag } from "./recipient-tag.ts";
import { type MachineSight, type SecretReach, type SecretReader, secretReach } from "./secret-reach.ts";

/** Names of machines in one finding; the rest are counted. */
const NAMED_MAX = 5;

/**
 * What is wrong with where secrets reach: a unit that may come to a machine, today or after a loss, that cannot read its secrets. Of the
 * cluster's own machines it is to be asked after git's.
 */
export function secretFindings(
  spec: Pick<ClusterSpec, "units" | "groups" | "machines" | "admit">,
  sight: MachineSight,
  tagOf: RecipientTag,
): readonly Diagnostic[] {
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  // What git does not know of it, nothing can be encrypted by.
  const remedy = sight.stated === null ? "write into the manifest by which metadata it may run there, then " : "";
  return secretReach(spec, sight, tagOf).flatMap((reach) => [
    ...unread(reach, "left-out", units, remedy),
    ...unread(reach, "no-key", units, remedy),
    ...(spec.admit === "any" ? unlisted(reach, spec, units) : []),
  ]);
}

function unread(
  reach: SecretReach,
  state: Exclude<SecretReader["state"], "reads">,
  units: ReadonlyMap<UnitName, SpecUnit>,
  remedy: string,
): readonly Diagnostic[] {
  const found = reach.machines.filter((reader) => reader.state === state);
  const [first] = found;
  if (first === undefined) return [];
  const names = listed(found.map(({ machine }) => machine));
  const unit = first.units[0]!;
  const saw =
    state === "no-key"
      ? `${unit} may run on ${names}, which cannot read the secret ${reach.name}: the manifest has no key: of it`
      : `${unit} may run on ${names}, which cannot read the secret ${reach.name}: its file is not for it`;
  const rotate = `${remedy}fleet secret rotate ${reach.name}, or keep the unit away by MachineMetadata= or MachineID=`;
  const next = state === "no-key" ? `commit the stanza that fleet join prints there, then ${rotate}` : rotate;
  return [error("secret-unreadable", whereUsed(units.get(unit)!, reach.name), saw, next)];
}

/** Machines that come without a commit have no key in git, so nothing can be encrypted to them. */
function unlisted(
  reach: SecretReach,
  { groups, machines }: Pick<ClusterSpec, "groups" | "machines">,
  units: ReadonlyMap<UnitName, SpecUnit>,
): readonly Diagnostic[] {
  const known = new Set(machines.filter(({ match }) => match === null).flatMap(({ key, id }) => [key, id ?? key]));
  const open = reach.units.find((name) => {
    const members = groups.find((group) => group.units.includes(name))!.units.map((one) => units.get(one)!);
    return !members.some(({ options }) => options.machineId !== null && known.has(options.machineId));
  });
  if (open === undefined) return [];
  const saw = `${open}, which uses the secret ${reach.name} and may run on machines the manifest does not list: admit: any`;
  const next =
    known.size === 0
      ? "list the machines: fleet join prints the stanza of each"
      : "say admit: listed, or MachineID= of a machine that is listed";
  return [error("secret-unlisted", whereUsed(units.get(open)!, reach.name), saw, next)];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, NAMED_MAX).join(", ");
  return names.length > NAMED_MAX ? `${shown} and ${names.length - NAMED_MAX} more` : shown;
}

/** A machine's drop-in may name it: then the unit as a whole. */
function whereUsed({ service, fragment, dropins }: SpecUnit, secret: string): SourceLocation {
  const [file, ...others] = [fragment, ...dropins].map(({ path, text }) => parseUnitFile(path, text).file);
  const use = findSecretUses(service, effectiveUnit(file!, others)).find(({ path }) => path.endsWith(`/${secret}`));
  return use?.at ?? { path: fragment.path };
}

function error(code: string, at: SourceLocation, saw: string, next: string): Diagnostic {
  return { code, severity: "error", at, saw, next };
}
