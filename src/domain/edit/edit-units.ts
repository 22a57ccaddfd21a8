import { compareText, type UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { CollectedFiles } from "../spec/collect-files.ts";
import { INSTANCES_MAX, type Manifest, type ManifestUnit } from "../spec/manifest.ts";
import { closestName } from "../unit/closest-name.ts";
import { instantiate, unitNameParts } from "../unit/unit-name.ts";
import type { FileEdit, ManifestEdit, RepositoryEdit } from "./repository-edit.ts";

/** fleetctl's verbs, as words about what shall be; what a running cluster makes of it is the plan's to say. */
export type EditVerb = "submit" | "load" | "start" | "stop" | "unload" | "destroy" | "restart";

/** What a verb makes of a unit that is there. */
const GOAL_OF: Readonly<Partial<Record<EditVerb, UnitGoal>>> = {
  submit: "inactive",
  load: "loaded",
  start: "launched",
  stop: "loaded",
  unload: "inactive",
};

export interface EditableRepository {
  readonly manifest: Manifest;
  /** Where a new unit's file goes, from the repository's root. */
  readonly folder: string;
  readonly files: Pick<CollectedFiles, "units" | "dropins">;
  /** Plain units and instances, and what they are wanted to be. */
  readonly goals: ReadonlyMap<UnitName, UnitGoal>;
}

export interface UnitsWord {
  readonly verb: EditVerb;
  /** As asked for; templates among them stand for all their instances. */
  readonly units: readonly UnitName[];
  /** Files whoever asks has at hand, by the unit's or the template's name. */
  readonly offered: ReadonlyMap<UnitName, Uint8Array>;
  /** An offered file takes the place of the repository's own. */
  readonly replace: boolean;
  /** RESTARTED_AFTER_FORM. */
  readonly now: string;
}

/** Why nothing need be, or was, done about a unit. */
export type EditNote =
  | { readonly code: "already"; readonly unit: UnitName; readonly goal: UnitGoal }
  | { readonly code: "same-file"; readonly unit: UnitName }
  /** The repository's own file stays; --replace takes the other. */
  | { readonly code: "kept-own-file"; readonly unit: UnitName };

/** Why the whole word is refused. */
export type EditProblem =
  | { readonly code: "unit-unknown"; readonly unit: UnitName; readonly closest: string | null }
  | { readonly code: "unit-inactive"; readonly unit: UnitName }
  | { readonly code: "too-many-instances"; readonly unit: UnitName }
  | { readonly code: "not-a-template"; readonly unit: UnitName }
  /** A template that nobody instantiates can neither run nor stop. */
  | { readonly code: "no-instances"; readonly unit: UnitName }
  | { readonly code: "named-instances"; readonly unit: UnitName };

export interface EditedUnits {
  /** Empty where everything is as asked for. */
  readonly edit: RepositoryEdit;
  readonly notes: readonly EditNote[];
  /** With one of them nothing is to be changed. */
  readonly problems: readonly EditProblem[];
}

/** What somebody's word about units changes in the repository: the manifest's keys, and files. The same word again changes nothing more. */
export function editUnits(repository: EditableRepository, word: UnitsWord): EditedUnits {
  const editor = new UnitEditor(repository);
  for (const unit of new Set(word.units)) {
    if (word.verb === "destroy") editor.destroy(unit);
    else if (word.verb === "restart") editor.restart(unit, word.now);
    else editor.want(unit, word);
  }
  return editor.edited();
}

/** A unit as somebody else's tool keeps it. */
export interface FoundUnit {
  readonly name: UnitName;
  readonly bytes: Uint8Array;
  /** By file name, such as `10-limits.conf`. */
  readonly dropins: ReadonlyMap<string, Uint8Array>;
  /** Null: nobody knows what it is wanted to be. */
  readonly goal: UnitGoal | null;
}

/** Brings units in as they are; with `adopt` they are taken over where they run. What the repository has stays. */
export function importUnits(
  repository: EditableRepository,
  found: readonly FoundUnit[],
  { adopt }: { readonly adopt: boolean },
): EditedUnits {
  const editor = new UnitEditor(repository);
  const sorted = found.toSorted((a, b) => compareText(a.name, b.name));
  const templates = new Map(sorted.filter(({ name }) => unitNameParts(name).isTemplate).map((one) => [one.name, one]));
  for (const unit of sorted) editor.bring(unit, templates);
  const edited = editor.edited();
  const isSaid = repository.manifest.defaults.adopt === true;
  if (!adopt || isSaid || edited.edit.files.length === 0) return edited;
  const manifest: readonly ManifestEdit[] = [{ unit: null, key: "adopt", value: "true" }, ...edited.edit.manifest];
  return { ...edited, edit: { ...edited.edit, manifest } };
}

/** `web@.service` has instances 1 to `count` from now on. */
export function scaleTemplates(repository: EditableRepository, counts: ReadonlyMap<UnitName, number>): EditedUnits {
  const editor = new UnitEditor(repository);
  for (const [template, count] of counts) editor.scale(template, count);
  return editor.edited();
}

class UnitEditor {
  readonly #repository: EditableRepository;
  readonly #keys: ReadonlyMap<string, ManifestUnit>;
  readonly #manifest: ManifestEdit[] = [];
  readonly #files = new Map<string, FileEdit>();
  readonly #notes: EditNote[] = [];
  readonly #problems: EditProblem[] = [];
  /** Of templates, as this word has left them so far. */
  readonly #instances = new Map<UnitName, readonly string[]>();

  constructor(repository: EditableRepository) {
    this.#repository = repository;
    this.#keys = new Map(repository.manifest.units.map((unit) => [unit.key.value, unit]));
  }

  edited(): EditedUnits {
    const files = [...this.#files.values()].sort((a, b) => compareText(a.path, b.path));
    return { edit: { manifest: this.#manifest, files }, notes: this.#notes, problems: this.#problems };
  }

  want(unit: UnitName, { verb, offered, replace }: UnitsWord): void {
    const goal = GOAL_OF[verb]!;
    const template = this.#templateOf(unit);
    this.#take(unit, offered, replace);
    if (template !== null && template !== unit) this.#take(template, offered, replace);
    if (this.#repository.goals.has(unit) || this.#hasFile(unit)) {
      this.#setGoal(unit, goal, verb);
      return;
    }
    const { instance, isTemplate } = unitNameParts(unit);
    const isNew = offered.has(unit);
    const isInstance = instance !== null && template !== null && (this.#hasFile(template) || offered.has(template));
    if (verb === "stop" || verb === "unload" || !(isNew || isInstance)) {
      this.#unknown(unit);
      return;
    }
    if (!isNew && isInstance) this.#addInstance(template, instance, unit);
    if (!isTemplate && this.#generalGoal(unit) !== goal) this.#set(unit, "state", goal);
  }

  restart(unit: UnitName, now: string): void {
    const goals = this.#goalsOf(unit);
    if (goals.length === 0 && this.#hasFile(unit)) this.#problems.push({ code: "no-instances", unit });
    else if (goals.length === 0) this.#unknown(unit);
    else if (goals.every((goal) => goal === "inactive")) this.#problems.push({ code: "unit-inactive", unit });
    else if (goals.every((goal) => goal === "loaded")) this.#set(unit, "state", "launched");
    else this.#set(unit, "restartedAfter", now);
  }

  destroy(unit: UnitName): void {
    const template = this.#templateOf(unit);
    if (this.#hasFile(unit)) {
      this.#remove(this.#repository.files.units.get(unit)!.path);
      const isTemplate = unitNameParts(unit).isTemplate;
      const gone = (name: string) => name === unit || (isTemplate && this.#templateOf(name as UnitName) === unit);
      for (const [target, files] of this.#repository.files.dropins) {
        if (gone(target)) for (const { path } of files.values()) this.#remove(path);
      }
      for (const key of this.#keys.keys()) if (gone(key)) this.#set(key, null, null);
      return;
    }
    if (template === null || !this.#repository.goals.has(unit)) {
      this.#unknown(unit);
      return;
    }
    const left = this.#instancesOf(template).filter((one) => instantiate(template, one) !== unit);
    this.#setInstances(template, left);
    const files = this.#repository.files.dropins.get(unit);
    for (const { path } of files?.values() ?? []) this.#remove(path);
    if (this.#keys.has(unit)) this.#set(unit, null, null);
  }

  scale(template: UnitName, count: number): void {
    if (!unitNameParts(template).isTemplate) {
      this.#problems.push({ code: "not-a-template", unit: template });
      return;
    }
    if (!this.#hasFile(template)) {
      this.#unknown(template);
      return;
    }
    const instances = this.#instancesOf(template);
    if (!isCounted(instances)) {
      this.#problems.push({ code: "named-instances", unit: template });
      return;
    }
    if (count > INSTANCES_MAX) {
      this.#problems.push({ code: "too-many-instances", unit: template });
      return;
    }
    if (instances.length === count) return;
    const wanted = Array.from({ length: count }, (_, index) => String(index + 1));
    for (const instance of instances.slice(count)) {
      const unit = instantiate(template, instance);
      if (unit !== null && this.#keys.has(unit)) this.#set(unit, null, null);
    }
    this.#setInstances(template, wanted);
  }

  /** An instance whose file is its template's is one more of its instances. */
  bring({ name, bytes, dropins, goal }: FoundUnit, templates: ReadonlyMap<UnitName, FoundUnit>): void {
    const { template, instance, isTemplate } = unitNameParts(name);
    const own = this.#repository.files.units.get(name);
    if (own !== undefined || this.#repository.goals.has(name)) {
      const isSame = own !== undefined && sameBytes(own.bytes, bytes);
      this.#notes.push({ code: isSame ? "same-file" : "kept-own-file", unit: name });
      return;
    }
    const ofTemplate = template === null || isTemplate ? undefined : templates.get(template);
    if (instance !== null && template !== null && ofTemplate !== undefined && sameBytes(ofTemplate.bytes, bytes)) {
      this.#addInstance(template, instance, name);
    } else this.#write(below(this.#repository.folder, name), bytes);
    for (const [conf, text] of dropins) this.#write(below(this.#repository.folder, `${name}.d/${conf}`), text);
    if (!isTemplate && goal !== null && goal !== this.#generalGoal(name)) this.#set(name, "state", goal);
  }

  /** An offered file comes in, where there is none or it may take its place. */
  #take(unit: UnitName, offered: ReadonlyMap<UnitName, Uint8Array>, replace: boolean): void {
    const bytes = offered.get(unit);
    if (bytes === undefined) return;
    const own = this.#repository.files.units.get(unit);
    if (own !== undefined && sameBytes(own.bytes, bytes)) this.#notes.push({ code: "same-file", unit });
    else if (own !== undefined && !replace) this.#notes.push({ code: "kept-own-file", unit });
    else this.#write(own?.path ?? below(this.#repository.folder, unit), bytes);
  }

  #setGoal(unit: UnitName, goal: UnitGoal, verb: EditVerb): void {
    // A unit that is there is not taken back by who submits it again.
    if (verb === "submit") return;
    const goals = this.#goalsOf(unit);
    if (goals.length === 0) this.#problems.push({ code: "no-instances", unit });
    else if (verb === "stop" && goals.every((one) => one === "inactive")) {
      this.#problems.push({ code: "unit-inactive", unit });
    } else if (goals.every((one) => one === goal)) this.#notes.push({ code: "already", unit, goal });
    else this.#setState(unit, goal);
  }

  /** A template's word is for all its instances, also for those that had one of their own. */
  #setState(unit: UnitName, goal: UnitGoal): void {
    this.#set(unit, "state", goal);
    if (!unitNameParts(unit).isTemplate) return;
    for (const [key, { settings }] of this.#keys) {
      const isOfIt = key !== unit && this.#templateOf(key as UnitName) === unit;
      if (isOfIt && settings.state !== null) this.#set(key, "state", null);
    }
  }

  #addInstance(template: UnitName, instance: string, unit: UnitName): void {
    const instances = this.#instancesOf(template);
    if (instances.length >= INSTANCES_MAX) this.#problems.push({ code: "too-many-instances", unit });
    else if (!instances.includes(instance)) this.#setInstances(template, [...instances, instance]);
  }

  #instancesOf(template: UnitName): readonly string[] {
    const known = this.#instances.get(template);
    if (known !== undefined) return known;
    return this.#keys.get(template)?.settings.instances?.value.map(({ value }) => value) ?? [];
  }

  #setInstances(template: UnitName, instances: readonly string[]): void {
    this.#instances.set(template, instances);
    const value = isCounted(instances) ? String(instances.length) : `[${instances.map(flowText).join(", ")}]`;
    this.#set(template, "instances", instances.length === 0 ? null : value);
  }

  #goalsOf(unit: UnitName): readonly UnitGoal[] {
    const { goals } = this.#repository;
    if (!unitNameParts(unit).isTemplate) return goals.has(unit) ? [goals.get(unit)!] : [];
    return [...goals].filter(([name]) => this.#templateOf(name) === unit).map(([, goal]) => goal);
  }

  /** What a unit is to be that nothing is said of. One that another activates is looked at once it is there. */
  #generalGoal(unit: UnitName): UnitGoal {
    const template = this.#templateOf(unit);
    const general = template === null ? null : this.#keys.get(template)?.settings.state;
    return (general ?? this.#repository.manifest.defaults.state)?.value ?? "launched";
  }

  #templateOf(unit: UnitName): UnitName | null {
    return unitNameParts(unit).template;
  }

  #hasFile(unit: UnitName): boolean {
    return this.#repository.files.units.has(unit);
  }

  #unknown(unit: UnitName): void {
    const known = [...this.#repository.goals.keys(), ...this.#repository.files.units.keys()];
    this.#problems.push({ code: "unit-unknown", unit, closest: closestName(unit, known) });
  }

  #set(unit: string | null, key: ManifestEdit["key"], value: string | null): void {
    this.#manifest.push({ unit, key, value });
  }

  #write(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { path, bytes });
  }

  #remove(path: string): void {
    this.#files.set(path, { path, bytes: null });
  }
}

/** 1, 2, 3 …: what `instances: 3` means. */
function isCounted(instances: readonly string[]): boolean {
  return instances.every((instance, index) => instance === String(index + 1));
}

function flowText(instance: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(instance) ? instance : JSON.stringify(instance);
}

function below(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
