import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "../adapters/files/disk-error.ts";
import { readFleetUnits } from "../codec/fleet-units.ts";
import type { FoundUnit } from "../domain/edit/edit-units.ts";
import type { UnitName } from "../domain/names.ts";
import type { UnitGoal } from "../domain/spec/cluster-spec.ts";
import { FOREIGN_FOLDER } from "../domain/tasks/foreign-files.ts";
import { UNIT_FILE_MAX } from "../domain/unit/parse-unit-file.ts";
import { parseUnitName } from "../domain/unit/unit-name.ts";
import { OperationError } from "../ports/operation-error.ts";

/** A dump of the largest cluster fleet was run with, 3,000 units, has some 10 MB. */
const DUMP_BYTES_MAX = 128 * 1024 * 1024;
/** systemctl answers for all units at once. */
const SYSTEMCTL_LIMIT_MS = 20_000;

/** Units in a folder such as /etc/systemd/system, or in a dump of fleet's API, and what they are wanted to be as far as anybody can tell. */
export async function foundUnits(from: string): Promise<readonly FoundUnit[]> {
  const found = await stat(from).catch((error: unknown) => {
    throw diskError("read", from, error);
  });
  return found.isDirectory() ? unitsInFolder(from) : unitsInDump(from, found.size);
}

async function unitsInDump(path: string, bytes: number): Promise<readonly FoundUnit[]> {
  if (bytes > DUMP_BYTES_MAX) throw new OperationError("dump-too-large", `${path} has ${bytes} bytes`);
  try {
    return readFleetUnits(await readFile(path, "utf8"));
  } catch (cause) {
    const saw = `${path} is no dump of fleet's units: ${(cause as Error).message}`;
    throw new OperationError("dump-unreadable", saw, {
      next: "curl …/fleet/v1/units writes one; a folder of unit files will do too",
    });
  }
}

/** Links are how units are enabled, masked and given other names: files alone are units. */
async function unitsInFolder(folder: string): Promise<readonly FoundUnit[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.flatMap((entry) => {
      const name = entry.isFile() ? parseUnitName(entry.name) : null;
      return name === null ? [] : [name];
    });
    const goals = await goalsIn(
      folder,
      entries.filter((entry) => entry.isDirectory()).map(({ name }) => name),
      names,
    );
    return await Promise.all(
      names.map(async (name) => ({
        name,
        bytes: await contentOf(join(folder, name)),
        dropins: await dropinsOf(join(folder, `${name}.d`)),
        goal: goals.get(name) ?? null,
      })),
    );
  } catch (error) {
    throw diskError("read", folder, error);
  }
}

/** Where systemd runs them, what it runs; elsewhere what the folder enables. */
async function goalsIn(
  folder: string,
  folders: readonly string[],
  names: readonly UnitName[],
): Promise<ReadonlyMap<UnitName, UnitGoal>> {
  const live = folder === FOREIGN_FOLDER ? await activeUnits(names) : null;
  if (live !== null) return new Map(names.map((name) => [name, live.has(name) ? "launched" : "loaded"]));
  const wanted = new Set<string>();
  for (const one of folders.filter((name) => /\.(wants|requires|upholds)$/.test(name))) {
    for (const name of await readdir(join(folder, one))) wanted.add(name);
  }
  return new Map(names.filter((name) => wanted.has(name)).map((name) => [name, "launched"]));
}

/** Null where no systemd answers. */
async function activeUnits(names: readonly UnitName[]): Promise<ReadonlySet<string> | null> {
  if (names.length === 0 || (await stat("/run/systemd/system").catch(() => null)) === null) return null;
  const said = await new Promise<string | null>((resolve) => {
    // Its exit code says whether all are active.
    execFile("systemctl", ["is-active", "--", ...names], { timeout: SYSTEMCTL_LIMIT_MS }, (_error, stdout) =>
      resolve(stdout === "" ? null : stdout),
    );
  });
  const states = said?.trimEnd().split("\n") ?? [];
  return states.length === names.length ? new Set(names.filter((_, index) => states[index] === "active")) : null;
}

async function dropinsOf(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".conf"));
  return new Map(
    await Promise.all(files.map(async ({ name }) => [name, await contentOf(join(folder, name))] as const)),
  );
}

async function contentOf(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > UNIT_FILE_MAX)
    throw new OperationError("file-too-large", `${path} has ${size} bytes`, {
      next: `a unit has at most ${UNIT_FILE_MAX}`,
    });
  return readFile(path);
}
