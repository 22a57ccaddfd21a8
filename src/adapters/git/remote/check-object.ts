import type { ObjectType } from "../../../ports/object-source.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { parseCommit, parseTagTarget } from "../commit-object.ts";
import { invalidAnswer } from "./invalid-answer.ts";

/** The folders right below each folder. */
export type TreeDepths = Map<string, readonly string[]>;

const ID_BYTES = 20;
const FOLDER_MODE = 0o40000;

/**
 * What git's fsck calls an error in an object, as far as it can hurt a reader: shapes that do not parse, names that leave their folder or are
 * git's own, twins, and entries out of order. Names that are merely odd are for who lists the folder (`parseTree`): the rest of the
 * repository is none of fleet's business. Rejects with `source-answer-invalid` or `tree-name-refused`.
 */
export function checkObject(id: string, type: ObjectType, content: Buffer, depths: TreeDepths): void {
  try {
    if (type === "commit") parseCommit(content, id);
    else if (type === "tag") parseTagTarget(content, id);
  } catch (cause) {
    throw invalidAnswer(`the ${type} ${id} is not well formed`, cause);
  }
  if (type === "tree") depths.set(id, checkTree(id, content));
}

function checkTree(id: string, content: Buffer): readonly string[] {
  const folders: string[] = [];
  let before: Buffer | null = null;
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    if (space < 0 || end < 0 || end + 1 + ID_BYTES > content.length) throw invalidAnswer(`the tree ${id} is cut short`);
    const mode = content.toString("latin1", at, space);
    // With a zero in front, too, which old tools wrote and git's fsck only warns of.
    if (!/^0?[1-7][0-7]{4,5}$/.test(mode)) throw invalidAnswer(`the tree ${id} has an entry of no mode`);
    const name = content.subarray(space + 1, end);
    const isFolder = Number.parseInt(mode, 8) === FOLDER_MODE;
    refuseName(id, name.toString("latin1"));
    // git sorts a folder as if its name ended in a slash.
    const key: Buffer = isFolder ? Buffer.concat([name, Buffer.from("/")]) : name;
    if (before !== null && Buffer.compare(before, key) >= 0) throw invalidAnswer(`the tree ${id} is out of order`);
    before = key;
    if (isFolder) folders.push(content.toString("hex", end + 1, end + 1 + ID_BYTES));
    at = end + 1 + ID_BYTES;
  }
  return folders;
}

function refuseName(id: string, name: string): void {
  if (name !== "" && name !== "." && name !== ".." && name.toLowerCase() !== ".git" && !name.includes("/")) return;
  throw new OperationError("tree-name-refused", `the folder ${id} has the entry ${JSON.stringify(name.slice(0, 80))}`, {
    next: "rename or remove it in the repository; `git fsck` finds it",
  });
}
