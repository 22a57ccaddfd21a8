import { open } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { diskError } from "../adapters/files/disk-error.ts";
import type { UnitName } from "../domain/names.ts";
import { UNIT_FILE_MAX } from "../domain/unit/parse-unit-file.ts";
import { checkUnitName, unitNameParts } from "../domain/unit/unit-name.ts";
import { OperationError } from "../ports/operation-error.ts";

export interface OfferedUnits {
  readonly units: readonly UnitName[];
  /** By the unit's or, of an instance, the template's name. */
  readonly offered: ReadonlyMap<UnitName, Uint8Array>;
}

/** Names as people type them: `web` is a service, and so is `./units/web.service`, whose last part alone is the name. */
export function unitsNamed(words: readonly string[]): readonly UnitName[] {
  return words.map((word) => {
    const base = basename(word);
    const checked = checkUnitName(base.includes(".") ? base : `${base}.service`);
    if ("name" in checked) return checked.name;
    throw new OperationError("unit-name", checked.problem, { next: "a unit's name, such as web.service, or its file" });
  });
}

/** The same with the files that lie where the words point, as fleetctl looked for them: the unit's, then its template's beside it. */
export async function offeredUnits(words: readonly string[], directory: string): Promise<OfferedUnits> {
  const units = unitsNamed(words);
  const offered = new Map<UnitName, Uint8Array>();
  for (const [index, unit] of units.entries()) {
    const folder = dirname(resolve(directory, words[index]!));
    const own = await fileAt(join(folder, unit));
    if (own !== null) offered.set(unit, own);
    const { template } = unitNameParts(unit);
    if (own !== null || template === null || template === unit || offered.has(template)) continue;
    const ofTemplate = await fileAt(join(folder, template));
    if (ofTemplate !== null) offered.set(template, ofTemplate);
  }
  return { units, offered };
}

/** Null where nothing is there, or nothing that a unit could be. One byte more than a unit may have is read, and refused as any such file. */
async function fileAt(path: string): Promise<Uint8Array | null> {
  try {
    await using file = await open(path, "r");
    if (!(await file.stat()).isFile()) return null;
    const buffer = Buffer.alloc(UNIT_FILE_MAX + 1);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw diskError("read", path, error);
  }
}
