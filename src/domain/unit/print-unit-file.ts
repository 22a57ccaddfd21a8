import type { UnitFile } from "./unit-file.ts";

/** The file's text, to the byte what was parsed. */
export function printUnitFile(file: UnitFile): string {
  return file.entries.map((entry) => entry.raw).join("");
}
