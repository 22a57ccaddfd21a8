import { type Diagnostic, hasErrors } from "../diagnostic.ts";
import { lossPolicy } from "../loss/loss-policy.ts";
import { compareText, type GroupName, type UnitName } from "../names.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import type { ClusterSpec } from "./cluster-spec.ts";
import { type CollectedFiles, collectFiles } from "./collect-files.ts";
import { companionsOf } from "./companions-of.ts";
import { compileMachines } from "./compile-machines.ts";
import { filesOfComponent } from "./component-files.ts";
import { DraftUnits } from "./draft-units.ts";
import { dropinTargets } from "./dropin-targets.ts";
import { type ListedUnits, listUnits, type PlannedUnit } from "./list-units.ts";
import type { Manifest } from "./manifest.ts";
import { orderUnits } from "./order-units.ts";
import {
  type ManifestSources,
  manifestSources,
  namedFiles,
  type ParseFile,
  type RepositoryFile,
  resolveFromManifest,
} from "./repository-files.ts";
import { secretsIn, specUnit } from "./spec-unit.ts";
import { UnitSecrets } from "./unit-secrets.ts";

/**
 * What one machine needs of a commit: some of its units, word for word as in the whole spec, and what the manifest says of machines. What
 * comparing a unit with others shows is not in it: of its group it names the unit alone, its goal is what the manifest says of it, and it
 * starts after what it names itself. Who decides where units run compiles the whole.
 */
export type SpecPart = Pick<ClusterSpec, "cluster" | "units" | "machines" | "admit" | "loss">;

export interface CommitPartInput {
  readonly manifestPath: string;
  readonly manifest: Manifest;
  /** All that is listed in the manifest's folders, in any order; their contents need not be there. */
  readonly files: readonly RepositoryFile[];
  readonly parse?: ParseFile;
}

/**
 * A commit by its names, of which some units at a time can be compiled (protocol rule 37a): each machine reads what it runs, and not what
 * the cluster does. That the whole commit is sound is for apply and engines to see.
 */
export class CommitPart {
  readonly #input: CommitPartInput;
  readonly #names: CommitNames;
  readonly #files: ReadonlyMap<string, RepositoryFile>;

  /** `before`: of another commit, with which work is shared where names are the same, as they are in most. */
  constructor(input: CommitPartInput, before: CommitPart | null = null) {
    this.#input = input;
    this.#files = new Map(input.files.map((file) => [file.path, file]));
    this.#names = before?.hasNamesOf(input) === true ? before.#names : namesOf(input);
  }

  /** The same value for two commits of the same manifest and the same names, one compared with the other. */
  get names(): object {
    return this.#names;
  }

  hasNamesOf({ manifestPath, manifest, files }: CommitPartInput): boolean {
    const known = this.#input;
    if (known.manifestPath !== manifestPath || known.manifest !== manifest) return false;
    if (known.files.length !== files.length) return false;
    return files.every(({ path, kind, executable }, at) => {
      const other = known.files[at]!;
      return other.path === path && other.kind === kind && other.executable === executable;
    });
  }

  /** The files whose contents those units need, each once: theirs, their drop-ins, machines' drop-ins, and templates that may travel. */
  filesOf(units: ReadonlySet<UnitName>): readonly RepositoryFile[] {
    const { collected, sources } = this.#names;
    const needed = new Set(sources.machineFiles);
    // Which of them a unit names is in its text; they are few, and read once.
    for (const { path } of collected.secrets.values()) needed.add(path);
    for (const { name, template, file, settings } of this.#planned(units)) {
      needed.add(file.path);
      for (const target of dropinTargets(name)) {
        for (const { path } of collected.dropins.get(target)?.values() ?? []) needed.add(path);
      }
      // Which of them it reads is known once it is read itself.
      for (const { path } of filesOfComponent(collected, name, template).values()) needed.add(path);
      for (const { from } of settings.files) {
        const path = from === null ? null : resolveFromManifest(this.#input.manifestPath, from.value);
        if (path !== null) needed.add(path);
      }
    }
    return [...needed].flatMap((path) => this.#files.get(path) ?? []).filter(({ kind }) => kind === "file");
  }

  /** `contents` by path, of at least `filesOf` these units. Names the commit does not know are left out. */
  compile(
    units: ReadonlySet<UnitName>,
    contents: ReadonlyMap<string, Uint8Array>,
  ): { spec: SpecPart | null; diagnostics: readonly Diagnostic[] } {
    const { manifestPath, manifest, parse = parseUnitFile } = this.#input;
    const { sources, collected, listed, byName, unitNames, instantiated } = this.#names;
    const filled = ({ path }: RepositoryFile): RepositoryFile => {
      const file = this.#files.get(path)!;
      return { ...file, bytes: contents.get(path) ?? file.bytes };
    };
    const planned = this.#planned(units).map((unit) => ({ ...unit, file: filled(unit.file) }));
    const shared = [...sources.namedFiles].flatMap((path) => this.#files.get(path) ?? []).map(filled);
    const named = namedFiles(manifestPath, new Map(shared.map((file) => [file.path, file])));
    const drafts = new DraftUnits(this.#withContentsOf(planned, filled), parse, null, manifest.defaults, named);
    const own = planned.filter(({ name }) => units.has(name)).map((unit) => drafts.draft(unit));
    const templates = planned.filter(({ name }) => !units.has(name)).map((unit) => drafts.draft(unit));
    const machineFiles = [...sources.machineFiles].flatMap((path) => this.#files.get(path) ?? []).map(filled);
    const { machines, diagnostics } = compileMachines(manifest, {
      manifestPath,
      files: new Map(machineFiles.map((file) => [file.path, file])),
      read: (file) => drafts.read(file, null),
      unitNames,
    });
    const all = [
      ...sources.diagnostics,
      ...collected.diagnostics,
      ...listed.diagnostics,
      ...drafts.diagnostics,
      ...diagnostics,
    ].filter(({ severity }) => severity === "error");
    if (manifest.flawed || hasErrors(all)) return { spec: null, diagnostics: all };
    const lookup = (name: UnitName) => byName.get(name) ?? null;
    const { after } = orderUnits(own, lookup);
    const companions = companionsOf(own, templates, lookup, instantiated);
    const secrets = new UnitSecrets(
      new Map([...collected.secrets].map(([name, file]) => [name, filled(file)])),
      machines,
    );
    const secretsOf = new Map(own.map((unit) => [unit.name, secrets.of(unit, companions.of(unit))]));
    if (secrets.diagnostics.length > 0) return { spec: null, diagnostics: [...all, ...secrets.diagnostics] };
    const part: SpecPart = {
      cluster: manifest.cluster.value,
      units: own.map((unit) =>
        specUnit(unit, {
          goal: unit.settings.state?.value ?? "launched",
          group: unit.name as string as GroupName,
          after: after.get(unit.name)!,
          companions: companions.of(unit),
          ...secretsIn(secretsOf.get(unit.name)!),
        }),
      ),
      machines,
      admit: manifest.admit?.value ?? (machines.some((machine) => machine.match === null) ? "listed" : "any"),
      loss: lossPolicy(manifest.loss),
    };
    return { spec: part, diagnostics: all };
  }

  /** Those units, and every template nobody instantiates: few, and which of them travel is known once they are read. */
  #planned(units: ReadonlySet<UnitName>): readonly PlannedUnit[] {
    const { listed } = this.#names;
    const own = listed.units.filter(({ name }) => units.has(name));
    return own.length === 0 ? [] : [...own, ...listed.templates];
  }

  #withContentsOf(planned: readonly PlannedUnit[], filled: (file: RepositoryFile) => RepositoryFile): CollectedFiles {
    const dropins = new Map<string, ReadonlyMap<string, RepositoryFile>>();
    for (const target of new Set(planned.flatMap(({ name }) => dropinTargets(name)))) {
      const files = this.#names.collected.dropins.get(target);
      if (files !== undefined) dropins.set(target, new Map([...files].map(([conf, file]) => [conf, filled(file)])));
    }
    const { collected } = this.#names;
    const used = new Set(planned.map(({ name, template }) => filesOfComponent(collected, name, template)));
    const components = new Map(
      [...collected.components].map(([component, files]) => {
        if (!used.has(files)) return [component, files];
        return [component, new Map([...files].map(([path, file]) => [path, filled(file)]))];
      }),
    );
    return { ...collected, dropins, components };
  }
}

/** What follows from the manifest and the names of files alone; of the files in it only their paths and kinds are to be looked at. */
interface CommitNames {
  readonly sources: ManifestSources;
  readonly collected: CollectedFiles;
  readonly listed: ListedUnits;
  /** Units by their own names and their services'. */
  readonly byName: ReadonlyMap<UnitName, { readonly name: UnitName }>;
  /** Of units and templates; sorted. */
  readonly unitNames: readonly UnitName[];
  /** Templates of which there are instances. */
  readonly instantiated: ReadonlySet<UnitName>;
}

function namesOf({ manifestPath, manifest, files }: CommitPartInput): CommitNames {
  const sources = manifestSources(manifestPath, manifest);
  const collected = collectFiles(manifestPath, sources.unitFolders, files);
  const listed = listUnits(manifest, collected.units);
  const byName = new Map<UnitName, { readonly name: UnitName }>();
  for (const unit of listed.units) byName.set(serviceNameOf(unit.name), unit);
  for (const unit of listed.units) byName.set(unit.name, unit);
  return {
    sources,
    collected,
    listed,
    byName,
    unitNames: [...new Set([...collected.units.keys(), ...listed.units.map(({ name }) => name)])].sort(compareText),
    instantiated: new Set(listed.units.flatMap(({ template }) => template ?? [])),
  };
}
