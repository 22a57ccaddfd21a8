import type { Diagnostic } from "../diagnostic.ts";
import { compareText } from "../names.ts";
import type { ParsedUnitFile } from "../unit/parse-unit-file.ts";
import { machineFolders, type UnitFolder } from "./machine-folders.ts";
import type { Located, Manifest } from "./manifest.ts";

/** One file of the commit. */
export interface RepositoryFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  readonly kind: "file" | "symlink" | "submodule";
  /** The blob's id, by which a caller's `parse` may remember; empty where there is none. */
  readonly oid: string;
  /** Of a file that git lists as executable. Absent: it is not. */
  readonly executable?: true;
  /** Empty for what is no file. */
  readonly bytes: Uint8Array;
}

/** `parseUnitFile`, or a caller's memory of it by blob. */
export type ParseFile = (path: string, bytes: Uint8Array, oid: string) => ParsedUnitFile;

/** Which files of the commit a manifest is about. */
export interface ManifestSources {
  /** Folders of units, later ones win; then those of single machines, which add to them. `""` is the repository's root. */
  readonly unitFolders: readonly UnitFolder[];
  /** Everything to list: the unit folders, and the folders of the machines' drop-ins. Sorted, unique. */
  readonly folders: readonly string[];
  /** Drop-ins that the stanzas of machines name. */
  readonly machineFiles: ReadonlySet<string>;
  /** Files that the manifest names with `from`, for units to be given. */
  readonly namedFiles: ReadonlySet<string>;
  /** Whether the contents of that listed file are needed. */
  readonly needs: (path: string) => boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Says what to list and read before `compileSpec` can run. */
export function manifestSources(manifestPath: string, manifest: Manifest): ManifestSources {
  const diagnostics: Diagnostic[] = [];
  const resolved = (path: Located<string>): readonly Located<string>[] => {
    const target = resolveFromManifest(manifestPath, path.value);
    if (target !== null) return [{ value: target, at: path.at }];
    const saw = `the path ${path.value}, which leads out of the repository`;
    const next = "correct the path, or move what it leads to into the repository";
    diagnostics.push({ code: "path-outside-repository", severity: "error", at: path.at, saw, next });
    return [];
  };
  const common = manifest.paths.flatMap(resolved);
  const ofMachines = machineFolders(manifest.machines, common, resolved);
  diagnostics.push(...ofMachines.diagnostics);
  const unitFolders = [...common, ...ofMachines.folders];
  const files = new Set(
    manifest.machines.flatMap((machine) =>
      machine.dropins.flatMap(({ paths }) => paths.flatMap(resolved).map((path) => path.value)),
    ),
  );
  const settings = [manifest.defaults, ...manifest.units.map((unit) => unit.settings)];
  const named = new Set(
    settings.flatMap((one) => one.files.flatMap(({ from }) => (from === null ? [] : resolved(from).map(theValue)))),
  );
  const single = [...files, ...named];
  const folders = new Set([...unitFolders.map(theValue), ...single.map(folderOf)]);
  return {
    unitFolders,
    folders: [...folders].sort(compareText),
    machineFiles: files,
    namedFiles: named,
    needs: (path) =>
      files.has(path) ||
      named.has(path) ||
      unitFolders.some(({ value }) => isIgnored(manifestPath, value, path) === false),
    diagnostics,
  };
}

const theValue = <T>({ value }: Located<T>): T => value;

/** A path as written in the manifest → from the repository's root; null where it is absolute or leads out. */
export function resolveFromManifest(manifestPath: string, path: string): string | null {
  if (path.startsWith("/")) return null;
  const steps = folderOf(manifestPath).split("/").filter(Boolean);
  for (const step of path.split("/")) {
    if (step === "" || step === ".") continue;
    if (step !== "..") steps.push(step);
    else if (steps.pop() === undefined) return null;
  }
  return steps.join("/");
}

/** Looks a file up by its path as the manifest writes it. What is no plain file is none. */
export function namedFiles(
  manifestPath: string,
  files: ReadonlyMap<string, RepositoryFile>,
): (from: string) => RepositoryFile | null {
  return (from) => {
    const path = resolveFromManifest(manifestPath, from);
    const file = path === null ? undefined : files.get(path);
    return file?.kind === "file" ? file : null;
  };
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The path below that folder, or null where it is elsewhere. */
export function below(folder: string, path: string): string | null {
  if (folder === "") return path;
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : null;
}

/** Whether that is a file of expectations for `fleet test`: `tests/*.yaml` beside the manifest, at any depth. */
export function isTestFile(manifestPath: string, path: string): boolean {
  return below(testFolder(manifestPath), path) !== null && /\.ya?ml$/.test(path);
}

export function testFolder(manifestPath: string): string {
  return [folderOf(manifestPath), "tests"].filter((step) => step !== "").join("/");
}

const GITS_OWN: ReadonlySet<string> = new Set([".gitkeep", ".gitignore", ".gitattributes"]);

/** What stands in a repository for people: hidden files, READMEs, licences, the manifest, tests. Null: not in this folder. */
export function isIgnored(manifestPath: string, folder: string, path: string): boolean | null {
  const rest = below(folder, path);
  if (rest === null) return null;
  const steps = rest.split("/");
  const name = steps.at(-1)!;
  // Of what is delivered nothing is for people but git's own.
  const isDelivered = steps.length > 2 && steps[1] === "files" && !steps[0]!.startsWith(".");
  if (isDelivered) return GITS_OWN.has(name);
  return (
    path === manifestPath ||
    isTestFile(manifestPath, path) ||
    steps.some((step) => step.startsWith(".")) ||
    /\.md$|^(README|LICENSE|CHANGELOG)/i.test(name)
  );
}
