import { FOLDER_DEPTH_MAX, LISTED_FILES_MAX, METADATA_BYTES_MAX, type ObjectReader } from "./commit-reader.ts";
import { parseTree } from "./tree-object.ts";

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
export function* treesOf(
  objects: ObjectReader,
  root: string,
  folders: readonly string[],
): Generator<readonly string[]> {
  const steps = folders.map((folder) => folder.split("/").filter((step) => step !== ""));
  let level: Wanted[] = [{ oid: root, path: "", steps }];
  for (let depth = 0; level.length > 0 && depth <= FOLDER_DEPTH_MAX; depth++) {
    // Read, and not only looked for: one that is damaged is to be had again.
    yield [...new Set(level.map(({ oid }) => oid))].filter((oid) => objects.read(oid, METADATA_BYTES_MAX) === null);
    level = distinct(level.flatMap((tree) => below(objects, tree)));
    // More than may be listed: whoever lists them says so.
    if (level.length > LISTED_FILES_MAX) return;
  }
}

/** The folders in that tree that are on the way, or wanted with all below them. */
function below(objects: ObjectReader, { oid, path, steps }: Wanted): Wanted[] {
  const tree = objects.read(oid, METADATA_BYTES_MAX);
  if (tree?.type !== "tree") return [];
  const isWanted = steps.some((left) => left.length === 0);
  return parseTree(tree.content, path).flatMap((entry) => {
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
