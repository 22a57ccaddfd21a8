import { readdirSync, rmSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError } from "../files/disk-error.ts";
import { FolderSync } from "../files/folder-sync.ts";
import { deflated } from "./deflated.ts";
import type { GitObject } from "./git-object.ts";
import { packOf } from "./pack-of.ts";

/** As git's own fetch.unpackLimit, by the cost of a file and its sync: a change is a handful of objects, a first fetch a pack of many. */
const LOOSE_MAX = 16;
const DRAFT = ".fleet-new";
const folderSync = new FolderSync();
let drafts = 0;

/**
 * Puts objects into a repository for good: when it resolves they outlast a power cut, and wherever it is killed each is whole or not there.
 * Rejects with OperationError (`disk-full`, …).
 */
export async function writeObjects(
  objectsFolder: string,
  objects: ReadonlyMap<string, GitObject>,
): Promise<"pack" | "loose"> {
  if (objects.size <= LOOSE_MAX) {
    await writeLoose(objectsFolder, objects);
    return "loose";
  }
  await writePack(join(objectsFolder, "pack"), objects);
  return "pack";
}

/** Into that folder; returns the pack's name. */
export async function writePack(folder: string, objects: ReadonlyMap<string, GitObject>): Promise<string> {
  const { name, pack, index } = packOf(objects);
  await writeDurably(join(folder, `pack-${name}.pack`), pack);
  // Readers look for indexes: without one there is no pack.
  await writeDurably(join(folder, `pack-${name}.idx`), index);
  await folderSync.sync(folder);
  return name;
}

async function writeLoose(objectsFolder: string, objects: ReadonlyMap<string, GitObject>): Promise<void> {
  const folders = new Set<string>();
  for (const [id, { type, content }] of objects) {
    const folder = join(objectsFolder, id.slice(0, 2));
    if (await makeFolder(folder)) folders.add(objectsFolder);
    folders.add(folder);
    const header = Buffer.from(`${type} ${content.length}\0`);
    await writeDurably(join(folder, id.slice(2)), deflated(Buffer.concat([header, content])));
  }
  await Promise.all([...folders].map((folder) => folderSync.sync(folder)));
}

async function makeFolder(path: string): Promise<boolean> {
  try {
    return (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
  } catch (error) {
    throw diskError("write", path, error);
  }
}

/** Whole or not there; its name lasts once its folder is synced. */
export async function writeDurably(path: string, bytes: Buffer | string): Promise<void> {
  const draft = join(dirname(path), `${++drafts}${DRAFT}`);
  try {
    const file = await open(draft, "w", 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined); // What went wrong before is the error to tell.
    throw diskError("write", path, error);
  }
}

/** Takes away what was being written into the folders of that one when the process before this one died. */
export function removeDrafts(above: string): void {
  for (const folder of readdirSync(above, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const names = readdirSync(join(above, folder.name));
    const isWhole = (name: string) => !name.endsWith(".pack") || names.includes(name.replace(/pack$/, "idx"));
    for (const name of names) {
      if (name.endsWith(DRAFT) || !isWhole(name)) rmSync(join(above, folder.name, name), { force: true });
    }
  }
}
