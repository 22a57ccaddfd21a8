import type { SourceLocation } from "../diagnostic.ts";

/**
 * A unit file or drop-in as a value that forgets nothing: the `raw` texts of its entries, joined, are the file.
 * Each entry is one logical line; a continued assignment holds its physical lines and the comments between them.
 */
export interface UnitFile {
  /** Where it stands in the repository; every position points there. */
  readonly path: string;
  readonly entries: readonly UnitEntry[];
}

export type UnitEntry = UnitBlank | UnitComment | UnitSection | UnitAssignment | UnitBroken;

interface UnitEntryText {
  /** Exactly as in the file, line ends included; only the last entry may lack one. */
  readonly raw: string;
  /** The first physical line, counted from 1. */
  readonly line: number;
}

export interface UnitBlank extends UnitEntryText {
  readonly kind: "blank";
}

export interface UnitComment extends UnitEntryText {
  readonly kind: "comment";
}

export interface UnitSection extends UnitEntryText {
  readonly kind: "section";
  readonly name: string;
}

export interface UnitAssignment extends UnitEntryText {
  readonly kind: "assignment";
  readonly section: string;
  readonly key: string;
  /** As systemd sees it: continuation backslashes are a space, the ends are stripped. Empty resets. */
  readonly value: string;
  /** Of the key, counted from 1. */
  readonly column: number;
}

/** What no diagnostic-free file has: kept so that printing still gives the file back. */
export interface UnitBroken extends UnitEntryText {
  readonly kind: "broken";
}

/** Where an assignment stands. */
export function locationOf(file: UnitFile, entry: UnitAssignment): SourceLocation {
  return { path: file.path, line: entry.line, column: entry.column };
}
