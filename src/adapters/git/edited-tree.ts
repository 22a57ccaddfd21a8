import { createHash } from "node:crypto";
import type { FileEdit } from "../../domain/edit/repository-edit.ts";
import { type CommitId, compareText } from "../../domain/names.ts";
import type { GitSource, TreeFile } from "../../ports/git-source.ts";
import { tooLarge } from "./git-object.ts";

type Tree = Pick<GitSource, "listFiles" | "readBlob">;

/** A tree as it would be with these edits, so that they are judged before anything is written. */
export class EditedTree implements Tree {
  readonly #tree: Tree;
  readonly #edits: ReadonlyMap<string, FileEdit>;
  readonly #byOid = new Map<string, FileEdit & { readonly bytes: Uint8Array }>();

  constructor(tree: Tree, edits: readonly FileEdit[]) {
    this.#tree = tree;
    this.#edits = new Map(edits.map((edit) => [edit.path, edit]));
    for (const { path, bytes } of edits) if (bytes !== null) this.#byOid.set(oidOf(bytes), { path, bytes });
  }

  async listFiles(commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]> {
    const kept = (await this.#tree.listFiles(commit, folders)).filter(({ path }) => !this.#edits.has(path));
    const written = [...this.#edits.values()].flatMap(({ path, bytes }): TreeFile[] =>
      bytes === null || !folders.some((folder) => isUnder(folder, path))
        ? []
        : [{ path, oid: oidOf(bytes), kind: "file" }],
    );
    return [...kept, ...written].sort((a, b) => compareText(a.path, b.path));
  }

  async readBlob(oid: string, maxBytes: number): Promise<Uint8Array> {
    const edit = this.#byOid.get(oid);
    if (edit === undefined) return this.#tree.readBlob(oid, maxBytes);
    if (edit.bytes.length > maxBytes) throw tooLarge(edit.path, edit.bytes.length, maxBytes);
    return edit.bytes;
  }
}

function isUnder(folder: string, path: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

/** As git would name it. */
function oidOf(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
