import type { ChangedTree } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { ReadTree } from "./changed-files.ts";

/**
 * The trees that are new between two roots, each with the one that was in its place; from the root down, each after the one that names it.
 * Null where there are more than `max`, or one is not here or has a name that nobody may read.
 */
export function changedTrees(
  read: ReadTree,
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
      const [now, was] = [foldersOf(read, tree.oid), tree.base === null ? NONE : foldersOf(read, tree.base)];
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

function foldersOf(read: ReadTree, oid: string): ReadonlyMap<string, string> | null {
  try {
    const folders = read(oid, "")?.filter(({ kind }) => kind === "folder");
    return folders === undefined ? null : new Map(folders.map((entry) => [entry.name, entry.oid]));
  } catch (error) {
    // Whoever lists that tree says what is wrong with it; here it is only not sent along.
    if (!(error instanceof OperationError) || error.code === "object-corrupt") throw error;
    return null;
  }
}
