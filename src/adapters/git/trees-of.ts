import type { ReadTree } from "./changed-files.ts";
import { FOLDER_DEPTH_MAX, LISTED_FILES_MAX } from "./commit-reader.ts";

interface Wanted {
  readonly oid: string;
  readonly path: string;
  /** Steps still to go down to each folder asked for; an empty list of steps: all below is wanted. */
  readonly steps: readonly (readonly string[])[];
}

/**
 * The trees that have to be read to list these folders, level by level from the root: each level's ids can be told once those before are
 * in the repository, so that each costs one question at most, however many folders it has.
 */
export function* treesOf(read: ReadTree, root: string, folders: readonly string[]): Generator<readonly string[]> {
  const steps = folders.map((folder) => folder.split("/").filter((step) => step !== ""));
  let level: Wanted[] = [{ oid: root, path: "", steps }];
  for (let depth = 0; level.length > 0 && depth <= FOLDER_DEPTH_MAX; depth++) {
    // Read, and not only looked for: one that is damaged is to be had again.
    const missing = level.filter(({ oid, path }) => read(oid, path) === null);
    yield [...new Set(missing.map(({ oid }) => oid))];
    level = distinct(level.flatMap((tree) => below(read, tree)));
    // More than may be listed: whoever lists them says so.
    if (level.length > LISTED_FILES_MAX) return;
  }
}

/** The folders in that tree that are on the way, or wanted with all below them. */
function below(read: ReadTree, { oid, path, steps }: Wanted): Wanted[] {
  const isWanted = steps.some((left) => left.length === 0);
  return (read(oid, path) ?? []).flatMap((entry) => {
    if (entry.kind !== "folder") return [];
    const onward = isWanted ? [[]] : steps.filter(([first]) => first === entry.name).map((left) => left.slice(1));
    const child = { oid: entry.oid, path: path === "" ? entry.name : `${path}/${entry.name}`, steps: onward };
    return onward.length === 0 ? [] : [child];
  });
}

/** The same folder in many places is one folder: trees that repeat themselves cost no more than they hold. */
function distinct(level: readonly Wanted[]): Wanted[] {
  return [...new Map(level.map((tree) => [`${tree.oid} ${JSON.stringify(tree.steps)}`, tree])).values()];
}
