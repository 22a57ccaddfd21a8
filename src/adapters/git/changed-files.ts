import { compareText } from "../../domain/names.ts";
import type { ChangedFile } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { FOLDER_DEPTH_MAX, LISTED_FILES_MAX, METADATA_BYTES_MAX, type ObjectReader } from "./commit-reader.ts";
import { corrupt } from "./git-object.ts";
import { parseTree, type TreeEntry } from "./tree-object.ts";

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
  objects: ObjectReader,
  before: string | null,
  after: string,
): Generator<readonly string[], readonly ChangedFile[]> {
  const changes: ChangedFile[] = [];
  let level: Folder[] = before === after ? [] : [{ path: "", before, after }];
  for (let depth = 0; level.length > 0; depth++) {
    const trees = new Set(level.flatMap((folder) => [folder.before, folder.after]).filter((oid) => oid !== null));
    yield [...trees].filter((oid) => objects.read(oid, METADATA_BYTES_MAX) === null);
    level = level.flatMap((folder) => compare(objects, folder, changes));
    if (changes.length + level.length > LISTED_FILES_MAX || depth > FOLDER_DEPTH_MAX) throw tooMuch();
  }
  return changes.sort((a, b) => compareText(a.path, b.path));
}

function compare(objects: ObjectReader, { path, before, after }: Folder, changes: ChangedFile[]): readonly Folder[] {
  const [old, now] = [entriesOf(objects, before, path), entriesOf(objects, after, path)];
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

function entriesOf(objects: ObjectReader, oid: string | null, path: string): ReadonlyMap<string, TreeEntry> {
  if (oid === null) return new Map();
  const tree = objects.read(oid, METADATA_BYTES_MAX);
  if (tree?.type !== "tree") throw corrupt(`the tree ${oid} of ${path || "/"} is missing`);
  return new Map(parseTree(tree.content, path).map((entry) => [entry.name, entry]));
}

function tooMuch(): OperationError {
  return new OperationError("tree-too-large", `two commits differ in more than ${LISTED_FILES_MAX} files`, {
    next: "make the change in several commits",
  });
}
