import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { diskError } from "../adapters/files/disk-error.ts";
import type { FileEdit } from "../domain/edit/repository-edit.ts";

/** Edits in a working tree; git has what was there before. */
export async function writeFiles(worktree: string, edits: readonly FileEdit[]): Promise<void> {
  for (const { path, bytes } of edits) {
    const absolute = join(worktree, path);
    try {
      if (bytes === null) await rm(absolute);
      else {
        await mkdir(dirname(absolute), { recursive: true });
        await writeFile(absolute, bytes);
      }
    } catch (error) {
      throw diskError(bytes === null ? "remove" : "write", absolute, error);
    }
  }
}
