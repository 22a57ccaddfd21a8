import fs from "node:fs";
import { dirname, join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import { CommitReader } from "./commit-reader.ts";
import { displayUrl } from "./display-url.ts";
import { readRef } from "./git-refs.ts";

/** The ref of ours that says which tip has arrived in full. */
export const ARRIVED_REF = "refs/fleet/tip";
const REMOTE_FILE = "fleet-remote";
/** Written once, when the clone is whole. */
export const SOURCE_FILE = "fleet-source";

/** What a mirror's folder says of itself. */
export interface MirrorMark {
  readonly tip: string;
  /** Which of the remotes had that tip; null: none of these. */
  readonly remote: string | null;
}

/** Everything the tip needs to be read is here: says so on disk, where a restart finds it. Rejects with `object-corrupt`, else. */
export function markArrived(gitFolder: string, tip: string, remote: string): void {
  checkTip(gitFolder, tip);
  // Before the tip: who said the one before is of no use beside the new one.
  write(join(gitFolder, REMOTE_FILE), `${displayUrl(remote)}\n`);
  write(join(gitFolder, ARRIVED_REF), `${tip}\n`);
}

/** Null where nothing has arrived in full, or where it was the mirror of another source or branch. */
export function readMark(gitFolder: string, remotes: readonly string[], identity: string): MirrorMark | null {
  if (fs.readFileSync(join(gitFolder, SOURCE_FILE), "utf8") !== identity) return null;
  const tip = readRef({ own: gitFolder, common: gitFolder, worktree: null }, ARRIVED_REF);
  if (tip === null) return null;
  const shown = fs.readFileSync(join(gitFolder, REMOTE_FILE), "utf8").trim();
  return { tip, remote: remotes.find((each) => displayUrl(each) === shown) ?? null };
}

/** A folder given another source or branch must not answer for the old one. */
export function mirrorIdentity(url: string, branch: string): string {
  return `${displayUrl(url)}\n${branch}\n`;
}

export function countPacks(gitFolder: string): number {
  return fs.readdirSync(join(gitFolder, "objects", "pack")).filter((name) => name.endsWith(".pack")).length;
}

/** Its commit and its root's tree, read and hashed: what every use starts with. */
export function checkTip(gitFolder: string, tip: string): void {
  const reader = new CommitReader(gitFolder);
  try {
    reader.listFiles(tip as CommitId, ["fleet.yaml"]);
  } finally {
    reader.close();
  }
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(`${path}.draft`, text);
  fs.renameSync(`${path}.draft`, path);
}
