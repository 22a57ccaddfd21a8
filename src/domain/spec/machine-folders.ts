import { parseSelector } from "../cluster/selector.ts";
import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { Located, ManifestMachine } from "./manifest.ts";

/** The machine that a folder's units are bound to. */
export interface FolderOwner {
  /** As the manifest lists it. */
  readonly machine: string;
  readonly id: MachineId | null;
}

/** A folder of units from the repository's root, and where the manifest names it; of one machine alone, or of whatever machine fits. */
export interface UnitFolder extends Located<string> {
  /** Absent: of no machine alone. */
  readonly owner?: FolderOwner;
}

/**
 * The folders of single machines. None of them may have to do with another folder of units: a file in both would be of one machine and of
 * any. `resolved`: a path as written → from the repository's root, empty where there is no such thing.
 */
export function machineFolders(
  machines: readonly ManifestMachine[],
  common: readonly Located<string>[],
  resolved: (path: Located<string>) => readonly Located<string>[],
): { readonly folders: readonly UnitFolder[]; readonly diagnostics: readonly Diagnostic[] } {
  const folders: UnitFolder[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const { key, id, paths } of machines) {
    const selector = parseSelector(key.value);
    // A malformed key is told of where machines are compared.
    if ("problem" in selector) continue;
    if (selector.kind !== "machine" && paths.length > 0) {
      const saw = `paths under the selector ${key.value}`;
      const next = "only one machine has folders of its own; for several: MachineMetadata= in the units";
      diagnostics.push(error("machine-paths", paths[0]!.at, saw, next));
      continue;
    }
    for (const { value, at } of paths.flatMap(resolved)) {
      const other = [...common, ...folders].find((one) => isSameOrAround(one.value, value));
      if (other === undefined) {
        folders.push({ value, at, owner: { machine: key.value, id: id?.value ?? null } });
        continue;
      }
      const shown = other.value === "" ? "the repository's root" : `${other.value}/`;
      const saw = `the folder ${value}/ of ${key.value}, which has files in common with ${shown}, another folder of units`;
      diagnostics.push(error("machine-paths", at, saw, "give each a folder beside the others"));
    }
  }
  return { folders, diagnostics };
}

function isSameOrAround(one: string, other: string): boolean {
  const [a, b] = [one, other].map((folder) => (folder === "" ? "" : `${folder}/`));
  return a!.startsWith(b!) || b!.startsWith(a!);
}

/** What is wrong with a drop-in in a machine's folder; null: it is for a unit of that machine's folders. */
export function machineDropinProblem(
  owner: FolderOwner,
  target: string,
  path: string,
  ownerOf: ReadonlyMap<UnitName, FolderOwner>,
): Diagnostic | null {
  const template = target.replace(/@[^@.]*\./, "@.");
  const isOwn = [target, template].some((name) => ownerOf.get(name as UnitName)?.machine === owner.machine);
  if (isOwn) return null;
  const saw = `a drop-in for ${target}, which is no unit of the folders of ${owner.machine}`;
  const next = `for a unit that may be elsewhere: dropins: of ${owner.machine}`;
  return error("machine-paths-dropin", { path }, saw, next);
}

function error(code: string, at: SourceLocation, saw: string, next: string): Diagnostic {
  return { code, severity: "error", at, saw, next };
}
