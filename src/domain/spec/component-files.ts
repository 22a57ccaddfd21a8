import type { Diagnostic } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { CollectedFiles } from "./collect-files.ts";
import { deliveredPathProblem } from "./delivered-path.ts";
import type { RepositoryFile } from "./repository-files.ts";

/** What lies in a component's `files/`, in all folders of the manifest, by path below it. */
export type ComponentFiles = ReadonlyMap<string, RepositoryFile>;

/** The component a file of a unit folder belongs to and its path below that one's `files/`; null where it is no such file. */
export function componentFileOf(rest: string): { readonly component: string; readonly path: string } | null {
  const [component, files, ...steps] = rest.split("/");
  return files !== "files" || steps.length === 0 ? null : { component: component!, path: steps.join("/") };
}

/** Those a unit may read: of the component its file lies in, or its template's. The same value for the same component. */
export function filesOfComponent(
  { components, componentOf }: Pick<CollectedFiles, "components" | "componentOf">,
  name: UnitName,
  template: UnitName | null,
): ComponentFiles {
  const component = componentOf.get(name) ?? (template === null ? undefined : componentOf.get(template));
  return components.get(component ?? "") ?? NONE;
}

const NONE: ComponentFiles = new Map();

/** What is wrong with one of them by its name and kind alone; null: nothing. */
export function componentFileProblem(file: RepositoryFile, path: string): Diagnostic | null {
  const error = (code: string, saw: string, next: string): Diagnostic => ({
    ...{ code, severity: "error", at: { path: file.path }, saw, next },
  });
  if (file.kind !== "file") return error(`file-${file.kind}`, `a ${file.kind}`, "put the file itself there");
  const problem = deliveredPathProblem(path);
  if (problem === null) return null;
  return error("file-name", `the path ${JSON.stringify(path)}: ${problem}`, "rename it, or move it out of files/");
}

/** Names that differ in case only, and a file where another folder has a folder: one of them would not be what its unit reads. */
export function componentFileClashes(files: ComponentFiles): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const byName = new Map<string, RepositoryFile>();
  for (const [path, file] of files) {
    const twin = byName.get(path.toLowerCase());
    const clash = (saw: string): void => {
      diagnostics.push({ code: "file-clash", severity: "error", at: { path: file.path }, saw, next: "rename one" });
    };
    if (twin !== undefined) clash(`a name that differs from ${twin.path} in case only`);
    byName.set(path.toLowerCase(), file);
    const steps = path.split("/");
    for (let depth = 1; depth < steps.length; depth++) {
      const above = files.get(steps.slice(0, depth).join("/"));
      if (above !== undefined) clash(`a file in a folder, where ${above.path} is a file`);
    }
  }
  return diagnostics;
}
