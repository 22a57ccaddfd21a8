import { BOOLEANS, DIRECTIVES } from "./systemd-directive-table.ts";

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

const bySection: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(DIRECTIVES).map(([section, lists]) => [section, new Set(lists.flatMap(words).sort())]),
);
const booleans: ReadonlySet<string> = new Set(words(BOOLEANS));

/** The sections systemd reads in unit files, sorted: `Unit`, `Install` and one for each unit type. Others are `X-` ones or ignored. */
export const knownSections: readonly string[] = [...bySection.keys()].sort();

/**
 * Whether systemd 252, 257 or 262 reads that directive there: the oldest we support, and what its followers added. Also the names kept
 * for old files (`BindTo=`, `StartLimitInterval=` in [Service]). False in sections systemd does not know.
 */
export function isKnownDirective(section: string, key: string): boolean {
  return bySection.get(section)?.has(key) ?? false;
}

/** Sorted; empty for a section systemd does not know. */
export function knownDirectives(section: string): readonly string[] {
  return [...(bySection.get(section) ?? [])];
}

/** Whether the directive takes yes or no and nothing else. */
export function isBooleanDirective(key: string): boolean {
  return booleans.has(key);
}
