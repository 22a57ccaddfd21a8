import { compareText } from "../../domain/names.ts";
import type { ChangedFile } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { FOLDER_DEPTH_MAX, LISTED_FILES_MAX } from "./commit-reader.ts";
import { corrupt } from "./git-object.ts";
import type { TreeEntry } from "./tree-object.ts";

/** The entries of a tree; null where it is not here. `path` is for people. */
export type ReadTree = (oid: string, path: string) => readonly TreeEntry[] | null;

/** A folder that differs: its tree before and now; null where there is none. */
interface Folder {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * What two trees differ in, sorted by path; folders with the same id are not looked into. Level by level: yields the ids of the trees that
 * are not here, so that a repository far away can bring each level at once, and goes on once they are.
 */
export function* changedFiles(
  tree: ReadTree,
  before: string | null,
  after: string,
): Generator<readonly string[], readonly ChangedFile[]> {
  const changes: ChangedFile[] = [];
  let level: Folder[] = before === after ? [] : [{ path: "", before, after }];
  for (let depth = 0; level.length > 0; depth++) {
    const trees = new Set(level.flatMap((folder) => [folder.before, folder.after]).filter((oid) => oid !== null));
    yield [...trees].filter((oid) => tree(oid, "") === null);
    level = level.flatMap((folder) => compare(tree, folder, changes));
    if (changes.length + level.length > LISTED_FILES_MAX || depth > FOLDER_DEPTH_MAX) throw tooMuch();
  }
  return changes.sort((a, b) => compareText(a.path, b.path));
}

function compare(tree: ReadTree, { path, before, after }: Folder, changes: ChangedFile[]): readonly Folder[] {
  const [old, now] = differing(entriesOf(tree, before, path), entriesOf(tree, after, path));
  const below: Folder[] = [];
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const [was, is] = [old.get(name), now.get(name)];
    if (was?.oid === is?.oid && was?.kind === is?.kind) continue;
    const child = path === "" ? name : `${path}/${name}`;
    const folder = (entry: TreeEntry | undefined) => (entry?.kind === "folder" ? entry.oid : null);
    if (folder(was) !== null || folder(is) !== null) {
      below.push({ path: child, before: folder(was), after: folder(is) });
    }
    const isFile = (entry: TreeEntry | undefined) => entry !== undefined && entry.kind !== "folder";
    if (isFile(is)) changes.push({ path: child, oid: is!.oid });
    else if (isFile(was)) changes.push({ path: child, oid: null });
  }
  return below;
}

function entriesOf(tree: ReadTree, oid: string | null, path: string): readonly TreeEntry[] {
  if (oid === null) return [];
  const entries = tree(oid, path);
  if (entries === null) throw corrupt(`the tree ${oid} of ${path || "/"} is missing`);
  return entries;
}

/** Without what both begin and end with: of a folder of a thousand files most often one has changed. */
function differing(
  old: readonly TreeEntry[],
  now: readonly TreeEntry[],
): [ReadonlyMap<string, TreeEntry>, ReadonlyMap<string, TreeEntry>] {
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && isSame(old[start]!, now[start]!)) start++;
  let end = 0;
  while (end < shorter - start && isSame(old.at(-1 - end)!, now.at(-1 - end)!)) end++;
  const between = (entries: readonly TreeEntry[]) =>
    new Map(entries.slice(start, entries.length - end).map((entry) => [entry.name, entry]));
  return [between(old), between(now)];
}

function isSame(a: TreeEntry, b: TreeEntry): boolean {
  return a.oid === b.oid && a.name === b.name && a.kind === b.kind;
}

function tooMuch(): OperationError {
  return new OperationError("tree-too-large", `two commits differ in more than ${LISTED_FILES_MAX} files`, {
    next: "make the change in several commits",
  });
}
