import type { ChangedTree } from "../../ports/object-source.ts";
import { METADATA_BYTES_MAX, type ObjectReader } from "./commit-reader.ts";
import { parseTree } from "./tree-object.ts";

/**
 * The trees that are new between two roots, each with the one that was in its place; from the root down, each after the one that names it.
 * Null where there are more than `max`, or one is not here.
 */
export function changedTrees(
  objects: ObjectReader,
  before: string,
  after: string,
  max: number,
): readonly ChangedTree[] | null {
  const changed = new Map<string, ChangedTree>();
  let level: ChangedTree[] = before === after ? [] : [{ oid: after, base: before }];
  while (level.length > 0) {
    for (const tree of level) changed.set(tree.oid, tree);
    if (changed.size > max) return null;
    const below = new Map<string, ChangedTree>();
    for (const tree of level) {
      const [now, was] = [foldersOf(objects, tree.oid), tree.base === null ? NONE : foldersOf(objects, tree.base)];
      if (now === null || was === null) return null;
      for (const [name, oid] of now) {
        const base = was.get(name) ?? null;
        if (base !== oid && !changed.has(oid)) below.set(oid, { oid, base });
      }
    }
    level = [...below.values()];
  }
  return [...changed.values()];
}

const NONE: ReadonlyMap<string, string> = new Map();

function foldersOf(objects: ObjectReader, oid: string): ReadonlyMap<string, string> | null {
  const tree = objects.read(oid, METADATA_BYTES_MAX);
  if (tree?.type !== "tree") return null;
  const folders = parseTree(tree.content, "").filter(({ kind }) => kind === "folder");
  return new Map(folders.map((entry) => [entry.name, entry.oid]));
}
