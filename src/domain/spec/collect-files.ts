import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import { isSecretName, SECRET_ENDING, SECRET_NAME_FORM } from "../secret/secret-name.ts";
import { checkUnitName, QUADLET_TYPES, UNIT_TYPES } from "../unit/unit-name.ts";
import { type ComponentFiles, componentFileClashes, componentFileOf, componentFileProblem } from "./component-files.ts";
import { type FolderOwner, machineDropinProblem, type UnitFolder } from "./machine-folders.ts";
import { below, isIgnored, type RepositoryFile } from "./repository-files.ts";
import { RESERVED_DROPINS } from "./reserved-dropins.ts";

/** The unit files and drop-ins in force, overlays resolved, nothing parsed. */
export interface CollectedFiles {
  /** Templates among them. */
  readonly units: ReadonlyMap<UnitName, RepositoryFile>;
  /** By the name before `.d` (a unit's, a cut one, a type), then by file name. */
  readonly dropins: ReadonlyMap<string, ReadonlyMap<string, RepositoryFile>>;
  /** By component, then by path below its `files/`; in the order of the paths. */
  readonly components: ReadonlyMap<string, ComponentFiles>;
  /** The component each unit's file lies in; none of those that lie beside components. */
  readonly componentOf: ReadonlyMap<UnitName, string>;
  /** The machine each unit's file binds it to; none of those that lie in no machine's folder. */
  readonly ownerOf: ReadonlyMap<UnitName, FolderOwner>;
  /** By name, whatever their component: on a machine they are in one folder. */
  readonly secrets: ReadonlyMap<string, RepositoryFile>;
  readonly diagnostics: readonly Diagnostic[];
}

const TYPES: ReadonlySet<string> = new Set([...UNIT_TYPES, ...QUADLET_TYPES]);

/** What a file under a unit folder is, by its name alone. */
type Place =
  | { readonly kind: "unit"; readonly name: UnitName }
  | { readonly kind: "dropin"; readonly target: string; readonly conf: string }
  | { readonly kind: "secret"; readonly name: string }
  | { readonly kind: "problem"; readonly diagnostic: Diagnostic };

/**
 * Goes through the folders in order: a later one replaces an earlier one's files by what they are, component or not. One of a single
 * machine replaces nothing: what is in it is nowhere else.
 */
export function collectFiles(
  manifestPath: string,
  folders: readonly UnitFolder[],
  files: readonly RepositoryFile[],
): CollectedFiles {
  const units = new Map<UnitName, RepositoryFile>();
  const dropins = new Map<string, Map<string, RepositoryFile>>();
  const secrets = new Map<string, RepositoryFile>();
  const components = new Map<string, Map<string, RepositoryFile>>();
  const componentOf = new Map<UnitName, string>();
  const ownerOf = new Map<UnitName, FolderOwner>();
  const ownDropins: { readonly owner: FolderOwner; readonly target: string; readonly path: string }[] = [];
  const everywhere = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  const sorted = files.toSorted((a, b) => compareText(a.path, b.path));
  for (const folder of folders) {
    const { owner } = folder;
    const seen = owner === undefined ? new Map<string, string>() : everywhere;
    // Two machines may each have a component of that name, and so may all.
    const componentIn = (name: string): string => (owner === undefined ? name : `${folder.value}/${name}`);
    let found = false;
    for (const file of sorted) {
      const ignored = isIgnored(manifestPath, folder.value, file.path);
      found ||= ignored !== null;
      if (ignored !== false) continue;
      const rest = below(folder.value, file.path)!;
      const delivered = componentFileOf(rest);
      if (delivered !== null) {
        const { path } = delivered;
        const component = componentIn(delivered.component);
        const problem = componentFileProblem(file, path);
        if (problem !== null) diagnostics.push(problem);
        else components.set(component, (components.get(component) ?? new Map()).set(path, file));
        continue;
      }
      const place = placeOf(file, rest);
      if (place.kind === "problem") {
        diagnostics.push(place.diagnostic);
        continue;
      }
      const key = keyOf(place);
      const other = seen.get(key);
      if (other !== undefined) {
        const next =
          owner === undefined
            ? "rename or remove one; only a later entry of paths: may override"
            : "rename or remove one: what a machine's folder has is nowhere else";
        const [at, saw] = [{ path: file.path }, `${key}, which ${other} is too`];
        const isSecret = place.kind === "secret";
        diagnostics.push(isSecret ? error("duplicate-secret", at, saw, next) : error("duplicate-unit", at, saw, next));
        continue;
      }
      seen.set(key, file.path);
      everywhere.set(key, file.path);
      if (place.kind === "unit") {
        units.set(place.name, file);
        if (owner !== undefined) ownerOf.set(place.name, owner);
        if (rest.includes("/")) componentOf.set(place.name, componentIn(rest.slice(0, rest.indexOf("/"))));
      } else if (place.kind === "secret") secrets.set(place.name, file);
      else {
        dropins.set(place.target, (dropins.get(place.target) ?? new Map()).set(place.conf, file));
        if (owner !== undefined) ownDropins.push({ owner, target: place.target, path: file.path });
      }
    }
    if (!found) {
      const saw = `no files under ${folder.value === "" ? "the repository's root" : `${folder.value}/`}`;
      const next = "correct the path, or put a .gitkeep there if it is meant to be empty";
      diagnostics.push(error("path-missing", folder.at, saw, next));
    }
  }
  for (const [component, found] of components) {
    const inOrder = new Map([...found].sort(([a], [b]) => compareText(a, b)));
    components.set(component, inOrder);
    diagnostics.push(...componentFileClashes(inOrder));
  }
  for (const { owner, target, path } of ownDropins) {
    const problem = machineDropinProblem(owner, target, path, ownerOf);
    if (problem !== null) diagnostics.push(problem);
  }
  return { units, dropins, components, componentOf, ownerOf, secrets, diagnostics };
}

function keyOf(place: Exclude<Place, { kind: "problem" }>): string {
  if (place.kind === "unit") return place.name;
  return place.kind === "secret" ? `the secret ${place.name}` : `${place.target}.d/${place.conf}`;
}

function placeOf(file: RepositoryFile, rest: string): Place {
  const at = { path: file.path };
  const problem = (code: string, saw: string, next?: string): Place => ({
    kind: "problem",
    diagnostic: error(code, at, saw, next),
  });
  if (file.kind !== "file") return problem(`unit-${file.kind}`, `a ${file.kind}`, "put the file itself there");
  const steps = rest.split("/");
  const isDropin = steps.length > 1 && steps.at(-2)!.endsWith(".d");
  const depth = steps.length - (isDropin ? 1 : 0);
  if (isSecretFile(steps)) return secretPlace(at, steps.at(-1)!);
  if (depth > 2) {
    return problem(
      "unit-path-too-deep",
      "a file below a component's own folder",
      "move it up: <path>/<component>/<unit>",
    );
  }
  return isDropin ? dropinPlace(at, steps.at(-2)!.slice(0, -2), steps.at(-1)!) : unitPlace(at, steps.at(-1)!);
}

function unitPlace(at: SourceLocation, text: string): Place {
  const checked = checkUnitName(text);
  if ("name" in checked) return { kind: "unit", name: checked.name };
  const severity = TYPES.has(text.slice(text.lastIndexOf(".") + 1)) ? "error" : "warning";
  const diagnostic = { code: "unit-name", severity, at, saw: checked.problem } as const;
  return { kind: "problem", diagnostic: severity === "error" ? diagnostic : { ...diagnostic, next: "it is left out" } };
}

/** `secrets/NAME.age`, or of a component. */
function isSecretFile(steps: readonly string[]): boolean {
  return (
    (steps.length === 2 || steps.length === 3) && steps.at(-2) === "secrets" && steps.at(-1)!.endsWith(SECRET_ENDING)
  );
}

function secretPlace(at: SourceLocation, file: string): Place {
  const name = file.slice(0, -SECRET_ENDING.length);
  if (isSecretName(name)) return { kind: "secret", name };
  const saw = `a secret called ${JSON.stringify(name)}, which is not ${SECRET_NAME_FORM}`;
  return { kind: "problem", diagnostic: error("secret-name", at, saw) };
}

function dropinPlace(at: SourceLocation, target: string, conf: string): Place {
  if (!conf.endsWith(".conf")) {
    const saw = `a file in ${target}.d/ whose name does not end in .conf`;
    return {
      kind: "problem",
      diagnostic: { code: "dropin-name", severity: "warning", at, saw, next: "it is left out" },
    };
  }
  // It becomes a file name on a machine.
  if (!/^[A-Za-z0-9:_.@\\-]{1,255}$/.test(conf)) {
    return { kind: "problem", diagnostic: error("dropin-name", at, `the drop-in's name ${JSON.stringify(conf)}`) };
  }
  if (RESERVED_DROPINS.has(conf)) {
    const next = "give it another name, or write what it says into the manifest";
    return { kind: "problem", diagnostic: error("dropin-reserved", at, `${conf}, which fleet writes itself`, next) };
  }
  const checked = checkUnitName(target);
  if ("problem" in checked && !TYPES.has(target)) {
    return { kind: "problem", diagnostic: error("dropin-name", at, `a drop-in for ${checked.problem}`) };
  }
  return { kind: "dropin", target, conf };
}

function error(code: string, at: SourceLocation, saw: string, next?: string): Diagnostic {
  return { code, severity: "error", at, saw, ...(next === undefined ? {} : { next }) };
}
