import { editManifest } from "../codec/manifest/edit-manifest.ts";
import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import type { EditableRepository, EditedUnits } from "../domain/edit/edit-units.ts";
import type { FileEdit } from "../domain/edit/repository-edit.ts";
import type { CommitId } from "../domain/names.ts";
import { collectFiles } from "../domain/spec/collect-files.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { CommitFiles } from "./commit-files.ts";

/** A file as it was and is to be; null: it is not there. */
export interface ChangedFile {
  readonly path: string;
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

export type EditedRepository =
  /** The tree is none that could be gone by, before the edit or after it. */
  | { readonly kind: "rejected"; readonly diagnostics: readonly Diagnostic[] }
  /** The word itself cannot be done. */
  | { readonly kind: "refused"; readonly edited: EditedUnits }
  | { readonly kind: "edited"; readonly edited: EditedUnits; readonly files: readonly ChangedFile[] };

type Tree = Pick<GitSource, "listFiles" | "readBlob">;

/**
 * What a word about units makes of a working tree, as files to write; nothing is written. `compile` is told of a tree; the edited one is
 * compiled too, so what comes back is a tree that a commit may have. Rejects with `manifest-not-edited` where the manifest stands in a
 * form that only its author can change.
 */
export async function editRepository(options: {
  readonly tree: Tree;
  readonly manifestPath: string;
  readonly compile: (tree: Tree) => Promise<CommitCompiler>;
  readonly withEdits: (tree: Tree, edits: readonly FileEdit[]) => Tree;
  readonly decide: (repository: EditableRepository) => EditedUnits;
}): Promise<EditedRepository> {
  const { tree, manifestPath, compile, withEdits, decide } = options;
  const { spec, diagnostics } = await (await compile(tree))(WORKING_TREE);
  const commits = new CommitFiles(tree, manifestPath);
  const { manifest, bytes } = await commits.open(WORKING_TREE);
  if (spec === null || manifest === null || bytes === null) return { kind: "rejected", diagnostics };
  const { sources, files: listed } = await commits.list(WORKING_TREE, manifest);
  const needed = listed.filter(({ path, kind }) => kind === "file" && sources.needs(path));
  const read = await commits.readAll(needed, []);
  const files = needed.map((file) => ({ ...file, bytes: read.get(file.path) ?? new Uint8Array() }));
  const edited = decide({
    manifest,
    folder: sources.unitFolders[0]?.value ?? "units",
    files: collectFiles(manifestPath, sources.unitFolders, files),
    goals: new Map(spec.units.map(({ name, goal }) => [name, goal])),
  });
  if (edited.problems.length > 0) return { kind: "refused", edited };
  const edits = [...edited.edit.files, ...manifestEdit(manifestPath, bytes, edited)];
  const after = await (await compile(withEdits(tree, edits)))(WORKING_TREE);
  if (after.spec === null || hasErrors(after.diagnostics)) return { kind: "rejected", diagnostics: after.diagnostics };
  const before = new Map<string, Uint8Array>([[manifestPath, bytes], ...read]);
  const changed = edits.map((edit) => ({
    path: edit.path,
    before: before.get(edit.path) ?? null,
    after: edit.bytes,
  }));
  return { kind: "edited", edited, files: changed };
}

/** There is one working tree, whatever it is called. */
const WORKING_TREE = "" as CommitId;

function manifestEdit(path: string, bytes: Uint8Array, { edit }: EditedUnits): readonly FileEdit[] {
  if (edit.manifest.length === 0) return [];
  const text = editManifest(path, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), edit.manifest);
  if (text === null) {
    throw new OperationError("manifest-not-edited", `${path} stands in a form that fleet does not change`, {
      next: `write it yourself: ${edit.manifest.slice(0, WISHES_MAX).map(wish).join("; ")}`,
    });
  }
  return [{ path, bytes: new TextEncoder().encode(text) }];
}

/** Of what is to be written by hand, before it is left out. */
const WISHES_MAX = 5;

function wish({ unit, key, value }: EditedUnits["edit"]["manifest"][number]): string {
  if (unit === null) return `defaults: { ${key}: ${value} }`;
  if (key === null) return `units: no ${unit}`;
  return value === null ? `units: ${unit} without ${key}` : `units: ${unit}: { ${key}: ${value} }`;
}
