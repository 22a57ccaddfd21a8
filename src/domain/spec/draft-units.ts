import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { LintFinding } from "../lint/lint-rules.ts";
import type { LintFile } from "../lint/lint-unit-file.ts";
import { compareText, type UnitName } from "../names.ts";
import { remembered } from "../remembered.ts";
import { type EffectiveUnit, effectiveUnit } from "../unit/effective-unit.ts";
import { findLocalState } from "../unit/local-state.ts";
import { type ParsedUnitFile, parseUnitFile } from "../unit/parse-unit-file.ts";
import { printUnitFile } from "../unit/print-unit-file.ts";
import { type ReadFleetOptions, readFleetOptions } from "../unit/read-fleet-options.ts";
import type { UnitFile } from "../unit/unit-file.ts";
import { isQuadlet, serviceNameOf, type UnitType, unitNameParts } from "../unit/unit-name.ts";
import { unitTies } from "../unit/unit-ties.ts";
import { AT_MOST_ONE_DROPIN, atMostOneDropin } from "./at-most-one-dropin.ts";
import { bindToMachine } from "./bind-to-machine.ts";
import type { SpecDropin } from "./cluster-spec.ts";
import type { CollectedFiles } from "./collect-files.ts";
import { filesOfComponent } from "./component-files.ts";
import { type DeliveredFile, FILES_ROOT } from "./delivered-file.ts";
import type { DraftUnit } from "./draft-unit.ts";
import { dropinTargets } from "./dropin-targets.ts";
import { ENVIRONMENT_DROPIN, environmentDropin, takesEnvironment } from "./environment-dropin.ts";
import type { PlannedUnit } from "./list-units.ts";
import type { Located, UnitSettings } from "./manifest.ts";
import type { ParseFile, RepositoryFile } from "./repository-files.ts";
import { RESTART_DROPIN, restartDropin } from "./restart-dropin.ts";
import { unitFiles } from "./unit-files.ts";

const textOf = remembered((file: UnitFile) => printUnitFile(file));
const withoutDropins = remembered((fragment: UnitFile) => effectiveUnit(fragment, []));
const optionsOf = remembered((unit: EffectiveUnit, name: UnitName) => readFleetOptions(name, unit));
const tiesOf = remembered((unit: EffectiveUnit, name: UnitName) => unitTies(name, unit, optionsOf(unit, name).options));
const stateOf = remembered((unit: EffectiveUnit, name: UnitName) => findLocalState(name, unit));

/** Most units have no drop-ins, and are what they were in the commit before. */
function effectiveFrom(fragment: UnitFile, dropins: readonly UnitFile[]): EffectiveUnit {
  return dropins.length === 0 ? withoutDropins(fragment, "") : effectiveUnit(fragment, dropins);
}

/** Reads files and drop-ins of every unit and template; each file is parsed and complained about once. */
export class DraftUnits {
  readonly diagnostics: Diagnostic[] = [];
  /** What the files show by themselves; of each file once. */
  readonly findings: LintFinding[] = [];
  readonly #collected: CollectedFiles;
  readonly #parse: ParseFile;
  readonly #lint: LintFile | null;
  readonly #defaults: UnitSettings;
  readonly #parsed = new Map<string, UnitFile>();
  readonly #usedTargets = new Set<string>();

  readonly #named: (from: string) => RepositoryFile | null;
  readonly #readFiles = new Set<string>();

  /** `named`: files of the repository by their paths relative to the manifest. */
  constructor(
    collected: CollectedFiles,
    parse: ParseFile,
    lint: LintFile | null,
    defaults: UnitSettings,
    named: (from: string) => RepositoryFile | null,
  ) {
    this.#collected = collected;
    this.#named = named;
    this.#parse = parse;
    this.#lint = lint;
    this.#defaults = defaults;
  }

  /** The file as a value; its problems are remembered. `type` is that of the unit it is for, where that is known. */
  read(file: RepositoryFile, type: UnitType | null): UnitFile {
    const known = this.#parsed.get(file.path);
    if (known !== undefined) return known;
    const parsed: ParsedUnitFile = this.#parse(file.path, file.bytes, file.oid);
    this.#parsed.set(file.path, parsed.file);
    this.diagnostics.push(...parsed.diagnostics);
    if (this.#lint !== null) this.findings.push(...this.#lint(parsed.file, type));
    return parsed.file;
  }

  draft({ name, template, file, settings }: PlannedUnit): DraftUnit {
    const { type } = unitNameParts(name);
    const fragment = this.read(file, type);
    if (file.bytes.length === 0) {
      this.#error("unit-empty", { path: file.path }, "an empty unit file, which systemd reads as masked");
    }
    const dropins = this.#dropinsOf(name, settings);
    const effective = effectiveFrom(
      fragment,
      dropins.map((dropin) => dropin.file),
    );
    const read = optionsOf(effective, name);
    // A template is read for what it mentions only: its options hold for instances, and are read with their names.
    if (!unitNameParts(name).isTemplate) this.diagnostics.push(...read.diagnostics);
    const unitGroup = effective.last("X-Fleet", "Group") === null ? null : read.options.group;
    const group = this.#agreed(name, "Group", unitGroup, settings.group) ?? "auto";
    const move = this.#agreed(name, "Move", read.options.move, settings.move);
    const owner = this.#collected.ownerOf.get(template ?? name);
    const bound =
      owner === undefined
        ? { options: read.options, diagnostics: [] }
        : bindToMachine(owner, name, effective, read.options);
    this.diagnostics.push(...bound.diagnostics);
    const options = { ...bound.options, group, move };
    const onDisconnect = this.#onDisconnect(name, read, settings, effective);
    const replace = this.#agreed(name, "Replace", read.replace, settings.replace);
    const texts = [fragment, ...dropins.map((dropin) => dropin.file)];
    const files = this.#filesOf(name, template, effective, settings, texts);
    const ties = tiesOf(effective, name);
    this.diagnostics.push(...ties.diagnostics);
    return {
      name,
      service: serviceNameOf(name),
      template,
      fragment: { path: file.path, text: textOf(fragment, "") },
      dropins: withAtMostOne(name, dropins, onDisconnect),
      files,
      settings,
      effective,
      options,
      requests: read.requests,
      move,
      onDisconnect,
      replace,
      ties,
    };
  }

  /** Drop-ins that apply to nothing, once every unit is drafted. */
  unusedDropins(known: readonly UnitName[], suggest: (name: string) => string | null): readonly Diagnostic[] {
    const names: ReadonlySet<string> = new Set(known);
    return [...this.#collected.dropins].flatMap(([target, files]) => {
      if (this.#usedTargets.has(target) || names.has(target)) return [];
      const at = { path: [...files.values()].map((file) => file.path).sort(compareText)[0]! };
      const isInstance = target.includes("@") && !target.includes("@.");
      const isShared = !target.includes(".") || /-@?\.[a-z]+$/.test(target);
      const meant = suggest(target);
      const saw = `drop-ins for ${target}, which is no unit of this commit`;
      const next = meant === null ? "remove them, or add the unit" : `did you mean ${meant}.d?`;
      // After a scale-down the highest instance's drop-ins are left over, and a shared folder may wait for its first unit.
      const severity = isInstance || isShared ? "warning" : "error";
      return [{ code: "dropin-without-unit", severity, at, saw, next }];
    });
  }

  /** Of a template there is no folder: its instances have theirs. */
  #filesOf(
    name: UnitName,
    template: UnitName | null,
    unit: EffectiveUnit,
    settings: UnitSettings,
    texts: readonly UnitFile[],
  ): readonly DeliveredFile[] {
    if (unitNameParts(name).isTemplate) return [];
    const component = filesOfComponent(this.#collected, name, template);
    // Most units have none and name none: one look at their texts, and no other at each of their lines.
    const isOffered = settings.files.length + component.size > 0;
    if (!isOffered && !texts.some((file) => textOf(file, "").includes(FILES_ROOT))) return [];
    const offer = { declared: settings.files, component, named: this.#named };
    const { files, read, diagnostics } = unitFiles(name, unit, offer);
    this.diagnostics.push(...diagnostics);
    for (const path of read) this.#readFiles.add(path);
    return files;
  }

  /** Files of components that no unit reads, once every unit is drafted. */
  unreadFiles(): readonly Diagnostic[] {
    return [...this.#collected.components].flatMap(([, files]) =>
      [...files.values()].flatMap(({ path }) => {
        if (this.#readFiles.has(path)) return [];
        const next = "name it in a unit of its component, or declare it under files: of one; it is left out";
        return [{ code: "file-unread", severity: "warning" as const, at: { path }, saw: "a file no unit reads", next }];
      }),
    );
  }

  #dropinsOf(name: UnitName, settings: UnitSettings): readonly { dropin: SpecDropin; file: UnitFile }[] {
    const byConf = new Map<string, RepositoryFile>();
    for (const target of dropinTargets(name)) {
      const files = this.#collected.dropins.get(target);
      if (files === undefined) continue;
      this.#usedTargets.add(target);
      for (const [conf, file] of files) if (!byConf.has(conf)) byConf.set(conf, file);
    }
    const found = [...byConf].map(([conf, repositoryFile]) => {
      const file = this.read(repositoryFile, unitNameParts(name).type);
      return { dropin: { name: conf, path: repositoryFile.path, text: textOf(file, "") }, file };
    });
    return [...found, ...this.#environment(name, settings), ...restartTrigger(settings)].sort((a, b) =>
      compareText(a.dropin.name, b.dropin.name),
    );
  }

  #environment(name: UnitName, settings: UnitSettings): readonly { dropin: SpecDropin; file: UnitFile }[] {
    const first = settings.environment[0];
    if (first === undefined) return [];
    const { type } = unitNameParts(name);
    if (!takesEnvironment(type)) {
      const saw = `environment for ${name}: a .${type} runs nothing that has one`;
      this.#error("environment-unsupported", first.at, saw);
      return [];
    }
    const { text, diagnostics } = environmentDropin(type, settings.environment);
    this.diagnostics.push(...diagnostics);
    const path = first.at.path;
    return [{ dropin: { name: ENVIRONMENT_DROPIN, path, text }, file: parseUnitFile(path, text).file }];
  }

  /** `stop-after` as a default is meant for those units that can have it. */
  #onDisconnect(
    name: UnitName,
    { onDisconnect, options }: ReadFleetOptions,
    settings: UnitSettings,
    effective: EffectiveUnit,
  ): DraftUnit["onDisconnect"] {
    const value = this.#agreed(name, "OnDisconnect", onDisconnect, settings.onDisconnect) ?? "keep";
    if (value === "keep") return null;
    const at = onDisconnect === null ? settings.onDisconnect!.at : effective.last("X-Fleet", "OnDisconnect")!.at;
    const { type } = unitNameParts(name);
    if (type === "service" && !options.global) return { value, at };
    if (onDisconnect === null && settings.onDisconnect === this.#defaults.onDisconnect) return null;
    const [saw, next] =
      type === "service"
        ? [`${value} for ${name}, which runs on every machine`, "a unit that is to run at most once is no global one"]
        : [`${value} for ${name}`, "only a service can be stopped in time: say it of the service that does the work"];
    this.#error("stop-after-unsupported", at, saw, next);
    return null;
  }

  /** The unit and the manifest may both say it; saying different things is for the author to settle. */
  #agreed<T extends string>(name: UnitName, option: string, unit: T | null, manifest: Located<T> | null): T | null {
    if (unit !== null && manifest !== null && unit !== manifest.value) {
      const saw = `${option.charAt(0).toLowerCase()}${option.slice(1)}: ${manifest.value}, while ${name} says ${option}=${unit}`;
      this.#error("option-contradiction", manifest.at, saw, "say it in one place");
    }
    return unit ?? manifest?.value ?? null;
  }

  #error(code: string, at: SourceLocation, saw: string, next?: string): void {
    this.diagnostics.push({ code, severity: "error", at, saw, ...(next === undefined ? {} : { next }) });
  }
}

function restartTrigger({ restartedAfter }: UnitSettings): readonly { dropin: SpecDropin; file: UnitFile }[] {
  if (restartedAfter === null) return [];
  const { path } = restartedAfter.at;
  const text = restartDropin(restartedAfter.value);
  return [{ dropin: { name: RESTART_DROPIN, path, text }, file: parseUnitFile(path, text).file }];
}

function withAtMostOne(
  name: UnitName,
  dropins: readonly { readonly dropin: SpecDropin }[],
  onDisconnect: DraftUnit["onDisconnect"],
): readonly SpecDropin[] {
  const found = dropins.map(({ dropin }) => dropin);
  if (onDisconnect === null || unitNameParts(name).isTemplate) return found;
  const text = atMostOneDropin(serviceNameOf(name), onDisconnect.value);
  const ours: SpecDropin = { name: AT_MOST_ONE_DROPIN, path: onDisconnect.at.path, text };
  return [...found, ours].sort((a, b) => compareText(a.name, b.name));
}

/** What a unit keeps on its machine. */
export function localStateOf(unit: DraftUnit): readonly { readonly because: string }[] {
  return stateOf(unit.effective, unit.name);
}

export function kindOf(name: UnitName): "systemd" | "quadlet" {
  return isQuadlet(name) ? "quadlet" : "systemd";
}
