import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { OBJECT_BYTES_MAX } from "../objects-proto/objects-proto.ts";
import { parseCommit } from "./commit-object.ts";
import type { ObjectReader } from "./commit-reader.ts";
import type { GitObject } from "./git-object.ts";
import { parseTree } from "./tree-object.ts";
import { writePack } from "./write-objects.ts";

/** Of one pack, which is put together in memory. */
const PACK_BYTES = 16 * 1024 * 1024;
/** Objects between two turns of the event loop: some milliseconds. */
const OBJECTS_PER_TURN = 100;

/**
 * Puts what is worth keeping into fresh packs: all history that is here, and of these commits every folder and file that is. Returns the
 * files that were there before and are not needed any more: until they are removed nothing is lost, wherever it is killed.
 */
export async function repack(
  objectsFolder: string,
  objects: ObjectReader,
  commits: readonly CommitId[],
): Promise<readonly string[]> {
  const before = filesOf(objectsFolder);
  const written = new Set<string>();
  let pack = new Map<string, GitObject>();
  let bytes = 0;
  let turn = 0;
  const write = async () => {
    if (pack.size > 0) written.add(await writePack(join(objectsFolder, "pack"), pack));
    pack = new Map();
    bytes = 0;
  };
  for (const [oid, object] of worthKeeping(objects, commits)) {
    pack.set(oid, object);
    bytes += object.content.length;
    if (bytes > PACK_BYTES) await write();
    if (++turn % OBJECTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await write();
  // A pack of the same objects as one before has its name.
  return before.filter((path) => ![...written].some((name) => path.includes(name)));
}

/** Each object once. Of what is named and not here nobody knows. */
function* worthKeeping(objects: ObjectReader, commits: readonly CommitId[]): Generator<readonly [string, GitObject]> {
  const history = new Set<string>(commits);
  for (const oid of history) {
    const object = objects.read(oid, OBJECT_BYTES_MAX);
    if (object?.type !== "commit") continue;
    yield [oid, object];
    for (const parent of parseCommit(object.content, oid).parents) history.add(parent);
  }
  const seen = new Set<string>();
  for (const commit of commits) {
    const object = objects.read(commit, OBJECT_BYTES_MAX);
    const left = object?.type === "commit" ? [parseCommit(object.content, commit).tree] : [];
    for (let oid = left.pop(); oid !== undefined; oid = left.pop()) {
      if (seen.has(oid)) continue;
      seen.add(oid);
      const below = objects.read(oid, OBJECT_BYTES_MAX);
      if (below === null) continue;
      yield [oid, below];
      if (below.type === "tree") left.push(...entriesOf(below.content));
    }
  }
}

/** None of a tree with a name that nobody may read. */
function entriesOf(content: Buffer): readonly string[] {
  try {
    return parseTree(content, "").flatMap(({ kind, oid }) => (kind === "submodule" ? [] : [oid]));
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    // Whoever lists it says so; its files are not read, and so are none to keep.
    return [];
  }
}

function filesOf(objectsFolder: string): readonly string[] {
  return readdirSync(objectsFolder).flatMap((folder) => {
    if (folder !== "pack" && !/^[0-9a-f]{2}$/.test(folder)) return [];
    return readdirSync(join(objectsFolder, folder)).map((name) => join(objectsFolder, folder, name));
  });
}

/** How many loose objects and packs there are. */
export function countFiles(objectsFolder: string): { readonly loose: number; readonly packs: number } {
  const files = filesOf(objectsFolder);
  const packs = files.filter((path) => path.endsWith(".idx")).length;
  return { loose: files.filter((path) => !/\/pack\/[^/]*$/.test(path)).length, packs };
}

export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}
