import { lstatSync, readlinkSync } from "node:fs";
import type { FileFingerprint } from "../../ports/file-store.ts";

/** Of what is at that path now; null: nothing. */
export function fingerprint(path: string): FileFingerprint | null {
  try {
    const about = lstatSync(path, { throwIfNoEntry: false });
    if (about === undefined) return null;
    const isLink = about.isSymbolicLink();
    const kind = about.isFile() ? "file" : isLink ? "link" : about.isDirectory() ? "folder" : "other";
    const { size, mtimeMs, ctimeMs, ino: inode } = about;
    return { kind, size, mtimeMs, ctimeMs, inode, target: isLink ? readlinkSync(path) : null };
  } catch (error) {
    // One that cannot be looked at is no reason to see none of the others; who reads it hears why.
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENOENT" || code === "ENOTDIR" ? null : UNKNOWN;
  }
}

const UNKNOWN: FileFingerprint = { kind: "other", size: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, target: null };
