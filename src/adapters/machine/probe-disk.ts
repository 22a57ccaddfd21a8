import type { StatsFs } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { FolderFacts, LimitFacts } from "../../domain/doctor/doctor-facts.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { probeError } from "./probe-error.ts";

/** Room in each folder, or in the nearest one above it that is there already. */
export async function probeDisk(
  folders: readonly Pick<FolderFacts, "path" | "purpose">[],
): Promise<readonly FolderFacts[]> {
  const mounts = await mountOptions();
  return Promise.all(
    folders.map(async ({ path, purpose }) => {
      const { bsize, bavail, ffree, files } = await statfsAbove(path);
      const isReadOnly = optionsOf(mounts, path).includes("ro");
      return { path, purpose, isReadOnly, freeBytes: bsize * bavail, freeFiles: files === 0 ? null : ffree };
    }),
  );
}

export async function probeLimits(): Promise<LimitFacts> {
  const read = async (name: string) => Number(await readOrRefuse(`/proc/sys/fs/inotify/${name}`));
  return {
    inotifyInstances: await read("max_user_instances"),
    inotifyWatches: await read("max_user_watches"),
  };
}

/** The trimmed text of a file that every Linux has. */
export async function readOrRefuse(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw probeError(`cannot read ${path}`, error);
  }
}

async function statfsAbove(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && path !== "/") return statfsAbove(dirname(path));
    throw probeError(`cannot look at ${path}`, error);
  }
}

async function mountOptions(): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = (await readOrRefuse("/proc/self/mounts")).split("\n");
  return new Map(
    lines.map((line) => {
      const [, point = "", , options = ""] = line.split(" ");
      return [point, options.split(",")];
    }),
  );
}

function optionsOf(mounts: ReadonlyMap<string, readonly string[]>, path: string): readonly string[] {
  const found = mounts.get(path);
  if (found !== undefined) return found;
  if (path === "/") throw new OperationError("probe-failed", "/proc/self/mounts does not name the root");
  return optionsOf(mounts, dirname(path));
}
