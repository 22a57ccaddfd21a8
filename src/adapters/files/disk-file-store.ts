import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { FileStore } from "../../ports/file-store.ts";
import { OperationError } from "../../ports/operation-error.ts";

/** A real disk. A write is a temporary file beside the target, fsync, rename, fsync of the folder; a symlink is replaced, not followed. */
export class DiskFileStore implements FileStore {
  async read(path: string): Promise<string | null> {
    try {
      return await readFile(path, "utf8");
    } catch (error) {
      if (isMissing(error)) return null;
      throw diskError("read", path, error);
    }
  }

  async write(path: string, text: string, options: { mode?: number; durable?: boolean } = {}): Promise<void> {
    const durable = options.durable ?? true;
    const folder = dirname(path);
    const temporary = `${path}.${randomBytes(6).toString("hex")}.fleet-new`;
    try {
      await mkdir(folder, { recursive: true });
      const file = await open(temporary, "wx", options.mode ?? 0o644);
      try {
        await file.writeFile(text, "utf8");
        if (durable) await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      if (durable) await syncFolder(folder);
    } catch (error) {
      await rm(temporary, { force: true });
      throw diskError("write", path, error);
    }
  }

  async remove(path: string, options: { prune?: boolean } = {}): Promise<void> {
    try {
      await rm(path, { force: true });
      if (options.prune === true) await removeIfEmpty(dirname(path));
    } catch (error) {
      throw diskError("remove", path, error);
    }
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw diskError("list", path, error);
    }
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOTEMPTY" && code !== "ENOENT" && code !== "EBUSY") throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

const CODES: Readonly<Record<string, string>> = { ENOSPC: "disk-full", EDQUOT: "disk-full", EROFS: "read-only", EACCES: "not-permitted", EPERM: "not-permitted" };

function diskError(act: string, path: string, cause: unknown): OperationError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return new OperationError(CODES[code] ?? "disk-error", `cannot ${act} ${path}`, { cause });
}
