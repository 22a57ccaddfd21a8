import { invariant } from "../invariant.ts";
import type { UnitName } from "../names.ts";
import { AT_MOST_ONE_DROPIN } from "../spec/at-most-one-dropin.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { ENVIRONMENT_DROPIN } from "../spec/environment-dropin.ts";
import type { Manifest } from "../spec/manifest.ts";
import { RESTART_DROPIN } from "../spec/restart-dropin.ts";
import { filesOnMachine } from "../spec/unit-on-machine.ts";
import { mergeSettings } from "../spec/unit-settings.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { printEffectiveUnit } from "../unit/print-effective-unit.ts";
import type { UnitFile } from "../unit/unit-file.ts";

/** A directive in force, and the lines of the repository that say so. */
export interface PlacedDirective {
  readonly section: string;
  /** `Key=value`, as systemd reads it. May hold a secret. */
  readonly text: string;
  /** Null: written by fleet, for what nobody knows who asked. */
  readonly at: LineRange | null;
}

/** Lines count from 1; more than one where the assignment is continued. */
export interface LineRange {
  readonly path: string;
  readonly line: number;
  readonly lastLine: number;
}

/**
 * The directives in force of a unit on the machine of that name (null: any that has no files of its own for it), in systemd's order. What
 * the manifest amounts to points to the manifest's line: `manifest` is that of the same commit.
 */
export function directivesOf(
  unit: SpecUnit,
  machineName: string | null,
  spec: Pick<ClusterSpec, "machines">,
  manifest: Manifest,
): readonly PlacedDirective[] {
  const installed = filesOnMachine(unit, machineName, spec);
  const own = installed.filter(({ path }) => path === unit.name || path.startsWith(`${unit.name}.d/`));
  // Read under the names they are installed by: two drop-ins may come from one file, the manifest.
  const files = new Map(own.map(({ path, text }) => [path, parseUnitFile(path, text).file]));
  const sources = new Map(own.map(({ path, source }) => [path, source]));
  const fragment = files.get(unit.name);
  invariant(fragment !== undefined, "a unit of a spec has a fragment");
  const effective = effectiveUnit(
    fragment,
    [...files.values()].filter((file) => file !== fragment),
  );
  let section = "";
  return printEffectiveUnit(effective).flatMap(({ text, at }) => {
    if (at === null) return [];
    const header = /^\[(.*)\]$/.exec(text)?.[1];
    if (header !== undefined) section = header;
    if (header !== undefined) return [];
    const file = files.get(at.path)!;
    return [{ section, text, at: placeOf(file, at.line ?? 1, sources.get(at.path)!, unit, manifest) }];
  });
}

function placeOf(file: UnitFile, line: number, source: string, unit: SpecUnit, manifest: Manifest): LineRange | null {
  if (file.path === `${unit.name}.d/${ENVIRONMENT_DROPIN}`) return variableAt(line, unit, manifest);
  if (file.path === `${unit.name}.d/${RESTART_DROPIN}`) return restartAskedAt(unit, manifest);
  if (file.path === `${unit.name}.d/${AT_MOST_ONE_DROPIN}`) return leaseAskedAt(unit, manifest);
  const raw = file.entries.find((entry) => entry.line === line)?.raw ?? "";
  const further = raw.replace(/\r?\n$/, "").split("\n").length - 1;
  return { path: source, line, lastLine: line + further };
}

/** A line a variable, sorted, below the section's header: as `environmentDropin` writes them. */
function variableAt(line: number, unit: SpecUnit, manifest: Manifest): LineRange | null {
  const variable = settingsOf(unit, manifest).environment[line - 2];
  return variable === undefined ? null : oneLine(variable.at);
}

function restartAskedAt(unit: SpecUnit, manifest: Manifest): LineRange | null {
  const said = settingsOf(unit, manifest).restartedAfter;
  return said === null ? null : oneLine(said.at);
}

/** The manifest's word; where the unit's own file says it, that line is among the directives anyway. */
function leaseAskedAt(unit: SpecUnit, manifest: Manifest): LineRange | null {
  const said = settingsOf(unit, manifest).onDisconnect;
  return said === null ? null : oneLine(said.at);
}

function settingsOf({ name, template }: SpecUnit, manifest: Manifest) {
  const of = (wanted: UnitName | null) =>
    manifest.units.filter(({ key }) => key.value === wanted).map(({ settings }) => settings);
  return mergeSettings([manifest.defaults, ...of(template), ...of(name)]);
}

function oneLine({ path, line }: { readonly path: string; readonly line?: number }): LineRange | null {
  return line === undefined ? null : { path, line, lastLine: line };
}
