import type { UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";

/**
 * What a change of a unit's files does to it where it runs; worst first. `restart`: its processes must go and come again. `reload`: its
 * own reload applies it. `daemon-reload`: systemd must read it again, no process is touched. `quiet`: nobody notices.
 */
export type UnitEffect = (typeof UNIT_EFFECTS)[number];
export const UNIT_EFFECTS = ["restart", "reload", "daemon-reload", "quiet"] as const;

/** A directive whose effective value differs, and what that alone would do. */
export interface EffectCause {
  readonly section: string;
  readonly key: string;
  readonly effect: UnitEffect;
}

export interface FilesEffect {
  readonly effect: UnitEffect;
  /** Worst first, then by section and key; empty where only comments or order differ. */
  readonly causes: readonly EffectCause[];
}

/** What it does to the unit of that name when its files on a machine become others. Unknown means restart. */
export function effectOfFiles(
  _name: UnitName,
  before: readonly InstalledFile[],
  after: readonly InstalledFile[],
): FilesEffect {
  const text = (files: readonly InstalledFile[]) => JSON.stringify(files.map((file) => [file.path, file.text]));
  return { effect: text(before) === text(after) ? "quiet" : "restart", causes: [] };
}
