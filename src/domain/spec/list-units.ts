import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import { instantiate, serviceNameOf, unitNameParts } from "../unit/unit-name.ts";
import { takesEnvironment } from "./environment-dropin.ts";
import type { Manifest, ManifestUnit, UnitSettings } from "./manifest.ts";
import type { RepositoryFile } from "./repository-files.ts";
import { mergeSettings, NO_SETTINGS } from "./unit-settings.ts";

/** A unit that shall exist, the file it comes from, and what the manifest says of it. */
export interface PlannedUnit {
  readonly name: UnitName;
  /** Set where the file is a template's. */
  readonly template: UnitName | null;
  readonly file: RepositoryFile;
  readonly settings: UnitSettings;
}

/** The size up to which plans are measured. Counted before anything is made, so that a mistyped number costs nothing. */
export const UNITS_MAX = 20_000;

export interface ListedUnits {
  /** Plain units and instances. Sorted by name. */
  readonly units: readonly PlannedUnit[];
  /** Templates nobody instantiates; they may travel with units that mention them. Sorted by name. */
  readonly templates: readonly PlannedUnit[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Templates times their instances, plain units as they are; a file of an instance's own name wins over its template. */
export function listUnits(manifest: Manifest, files: ReadonlyMap<UnitName, RepositoryFile>): ListedUnits {
  const diagnostics: Diagnostic[] = [];
  const keys = new Map(manifest.units.map((unit) => [unit.key.value, unit]));
  const count =
    files.size + manifest.units.reduce((sum, unit) => sum + (unit.settings.instances?.value.length ?? 0), 0);
  if (count > UNITS_MAX) {
    const saw = `${count} units`;
    const expected = `at most ${UNITS_MAX}`;
    diagnostics.push({ code: "too-many-units", severity: "error", at: manifest.cluster.at, saw, expected });
    return { units: [], templates: [], diagnostics };
  }
  const found = new Map<UnitName, PlannedUnit>();
  const templates: PlannedUnit[] = [];
  for (const [name, file] of files) {
    if (unitNameParts(name).isTemplate) continue;
    found.set(name, { name, template: null, file, settings: settingsOf(name, manifest, keys) });
  }
  for (const [template, file] of files) {
    if (!unitNameParts(template).isTemplate) continue;
    const names = instancesOf(template, keys.get(template), diagnostics);
    if (names === null) {
      templates.push({ name: template, template: null, file, settings: settingsOf(template, manifest, keys) });
    }
    for (const name of names ?? []) {
      if (!found.has(name)) found.set(name, { name, template, file, settings: settingsOf(name, manifest, keys) });
    }
  }
  diagnostics.push(...keyProblems(manifest, files, found));
  const byName = (a: PlannedUnit, b: PlannedUnit) => compareText(a.name, b.name);
  return { units: [...found.values()].sort(byName), templates: templates.sort(byName), diagnostics };
}

function instancesOf(
  template: UnitName,
  unit: ManifestUnit | undefined,
  diagnostics: Diagnostic[],
): readonly UnitName[] | null {
  const instances = unit?.settings.instances ?? null;
  if (instances === null) return null;
  const names = new Set<UnitName>();
  for (const { value, at } of instances.value) {
    const name = instantiate(template, value);
    if (name === null) diagnostics.push(error("instance-name", at, `the instance ${shorten(value)} of ${template}`));
    else if (names.has(name)) diagnostics.push(error("instance-twice", at, `the instance ${value} twice`));
    else names.add(name);
  }
  return [...names];
}

/** Most general first: defaults, the template's key, the unit's own. */
function settingsOf(name: UnitName, manifest: Manifest, keys: ReadonlyMap<string, ManifestUnit>): UnitSettings {
  const { template, type } = unitNameParts(name);
  const own = keys.get(name)?.settings ?? NO_SETTINGS;
  const general = template === null || template === name ? NO_SETTINGS : (keys.get(template)?.settings ?? NO_SETTINGS);
  const defaults = takesEnvironment(type) ? manifest.defaults : { ...manifest.defaults, environment: [], files: [] };
  return mergeSettings([defaults, general, own]);
}

function keyProblems(
  manifest: Manifest,
  files: ReadonlyMap<UnitName, RepositoryFile>,
  units: ReadonlyMap<UnitName, PlannedUnit>,
): readonly Diagnostic[] {
  const known = [...new Set<string>([...files.keys(), ...units.keys()])];
  const names: ReadonlySet<string> = new Set(known);
  const byService = new Map<string, string>(known.map((name) => [serviceNameOf(name as UnitName), name]));
  const problems: Diagnostic[] = [];
  if (manifest.defaults.instances !== null) {
    const next = "write it under the template's own key";
    problems.push(error("instances-without-template", manifest.defaults.instances.at, "instances in defaults", next));
  }
  for (const { key, settings } of manifest.units) {
    if (!names.has(key.value)) {
      const meant = byService.get(key.value) ?? closestName(key.value, known);
      const next = meant === null ? "remove the key, or add the unit's file" : `did you mean ${meant}?`;
      problems.push(error("unit-unknown", key.at, `${shorten(key.value)}, which is no unit of this commit`, next));
    } else if (settings.instances !== null && !unitNameParts(key.value as UnitName).isTemplate) {
      const next = "only templates such as web@.service have instances";
      problems.push(error("instances-without-template", settings.instances.at, `instances of ${key.value}`, next));
    }
  }
  return problems;
}

function error(code: string, at: SourceLocation, saw: string, next?: string): Diagnostic {
  return { code, severity: "error", at, saw, ...(next === undefined ? {} : { next }) };
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
