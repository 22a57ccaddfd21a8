import { type Diagnostic, hasErrors } from "../diagnostic.ts";
import { lossPolicy } from "../loss/loss-policy.ts";
import { compareText, type GroupName, type UnitName } from "../names.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { serviceNameOf } from "../unit/unit-name.ts";
import type { ClusterSpec } from "./cluster-spec.ts";
import { type CollectedFiles, collectFiles } from "./collect-files.ts";
import { companionsOf } from "./companions-of.ts";
import { compileMachines } from "./compile-machines.ts";
import { DraftUnits } from "./draft-units.ts";
import { dropinTargets } from "./dropin-targets.ts";
import { type ListedUnits, listUnits, type PlannedUnit } from "./list-units.ts";
import type { Manifest } from "./manifest.ts";
import { orderUnits } from "./order-units.ts";
import { type ManifestSources, manifestSources, type ParseFile, type RepositoryFile } from "./repository-files.ts";
import { specUnit } from "./spec-unit.ts";

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
  readonly #sources: ManifestSources;
  readonly #collected: CollectedFiles;
  readonly #listed: ListedUnits;
  readonly #files: ReadonlyMap<string, RepositoryFile>;
  readonly #names = new Map<UnitName, { readonly name: UnitName }>();
  readonly #instantiated: ReadonlySet<UnitName>;

  constructor(input: CommitPartInput) {
    const { manifestPath, manifest, files } = input;
    this.#input = input;
    this.#sources = manifestSources(manifestPath, manifest);
    this.#collected = collectFiles(manifestPath, this.#sources.unitFolders, files);
    this.#listed = listUnits(manifest, this.#collected.units);
    this.#files = new Map(files.map((file) => [file.path, file]));
    const { units } = this.#listed;
    for (const unit of units) this.#names.set(serviceNameOf(unit.name), unit);
    for (const unit of units) this.#names.set(unit.name, unit);
    this.#instantiated = new Set(units.flatMap(({ template }) => template ?? []));
  }

  /** The files whose contents those units need, each once: theirs, their drop-ins, machines' drop-ins, and templates that may travel. */
  filesOf(units: ReadonlySet<UnitName>): readonly RepositoryFile[] {
    const needed = new Set<RepositoryFile>();
    for (const { name, file } of this.#planned(units)) {
      needed.add(file);
      for (const target of dropinTargets(name)) {
        for (const dropin of this.#collected.dropins.get(target)?.values() ?? []) needed.add(dropin);
      }
    }
    return [...needed, ...this.#machineFiles()].filter(({ kind }) => kind === "file");
  }

  /** `contents` by path, of at least `filesOf` these units. Names the commit does not know are left out. */
  compile(
    units: ReadonlySet<UnitName>,
    contents: ReadonlyMap<string, Uint8Array>,
  ): { spec: SpecPart | null; diagnostics: readonly Diagnostic[] } {
    const { manifestPath, manifest, parse = parseUnitFile } = this.#input;
    const filled = (file: RepositoryFile) => ({ ...file, bytes: contents.get(file.path) ?? file.bytes });
    const planned = this.#planned(units).map((unit) => ({ ...unit, file: filled(unit.file) }));
    const drafts = new DraftUnits(this.#withDropinsOf(planned, filled), parse, null, manifest.defaults);
    const own = planned.filter(({ name }) => units.has(name)).map((unit) => drafts.draft(unit));
    const templates = planned.filter(({ name }) => !units.has(name)).map((unit) => drafts.draft(unit));
    const unitNames = [...new Set([...this.#collected.units.keys(), ...this.#listed.units.map(({ name }) => name)])];
    const machineFiles = this.#machineFiles().map((file) => [file.path, filled(file)] as const);
    const { machines, diagnostics } = compileMachines(manifest, {
      manifestPath,
      files: new Map([...this.#files, ...machineFiles]),
      read: (file) => drafts.read(file, null),
      unitNames: unitNames.sort(compareText),
    });
    const all = [
      ...this.#sources.diagnostics,
      ...this.#collected.diagnostics,
      ...this.#listed.diagnostics,
      ...drafts.diagnostics,
      ...diagnostics,
    ].filter(({ severity }) => severity === "error");
    if (manifest.flawed || hasErrors(all)) return { spec: null, diagnostics: all };
    const lookup = (name: UnitName) => this.#names.get(name) ?? null;
    const { after } = orderUnits(own, lookup);
    const companions = companionsOf(own, templates, lookup, this.#instantiated);
    const part: SpecPart = {
      cluster: manifest.cluster.value,
      units: own.map((unit) =>
        specUnit(unit, {
          goal: unit.settings.state?.value ?? "launched",
          group: unit.name as string as GroupName,
          after: after.get(unit.name)!,
          companions: companions.of(unit),
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
    const own = this.#listed.units.filter(({ name }) => units.has(name));
    return own.length === 0 ? [] : [...own, ...this.#listed.templates];
  }

  #machineFiles(): readonly RepositoryFile[] {
    return [...this.#sources.machineFiles].flatMap((path) => this.#files.get(path) ?? []);
  }

  #withDropinsOf(planned: readonly PlannedUnit[], filled: (file: RepositoryFile) => RepositoryFile): CollectedFiles {
    const dropins = new Map<string, ReadonlyMap<string, RepositoryFile>>();
    for (const target of new Set(planned.flatMap(({ name }) => dropinTargets(name)))) {
      const files = this.#collected.dropins.get(target);
      if (files !== undefined) dropins.set(target, new Map([...files].map(([conf, file]) => [conf, filled(file)])));
    }
    return { ...this.#collected, dropins };
  }
}
