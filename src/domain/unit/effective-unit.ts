import type { SourceLocation } from "../diagnostic.ts";
import { locationOf, type UnitFile } from "./unit-file.ts";

/** A value in force and where its author wrote it. */
export interface EffectiveValue {
  readonly value: string;
  readonly at: SourceLocation;
}

/** An assignment as written, in the order systemd applies it. */
export interface EffectiveAssignment extends EffectiveValue {
  readonly key: string;
}

/** A fragment and its drop-ins read as one, in systemd's order of application. */
export interface EffectiveUnit {
  /** The fragment's path, where a finding about the unit as a whole points. */
  readonly path: string;
  /** Sections with at least a header, in order of first appearance. */
  readonly sections: readonly string[];
  /** Where the section's first header stands, or null where there is none. */
  sectionAt(section: string): SourceLocation | null;
  /** Every assignment of a section, empty ones included. */
  assignments(section: string): readonly EffectiveAssignment[];
  /** The list a key amounts to: an empty assignment drops what came before it. */
  values(section: string, key: string): readonly EffectiveValue[];
  /** Every non-empty assignment: for dependencies (`After=`, …), which systemd lets no drop-in reset. */
  allValues(section: string, key: string): readonly EffectiveValue[];
  /** What a single-valued key amounts to: the last assignment, null where it is empty or there is none. */
  last(section: string, key: string): EffectiveValue | null;
}

/** Drop-ins are given in the order they apply: sorted by name by the caller, who knows which hides which. */
export function effectiveUnit(fragment: UnitFile, dropins: readonly UnitFile[]): EffectiveUnit {
  return new FilesReadAsOne(fragment, dropins);
}

/** What most questions about a unit have for an answer. */
const NONE: readonly EffectiveAssignment[] = [];

/** A class, because a commit has 20,000 of them at once and each is asked some fifty times. */
class FilesReadAsOne implements EffectiveUnit {
  readonly path: string;
  readonly #headers = new Map<string, SourceLocation>();
  readonly #bySection = new Map<string, EffectiveAssignment[]>();

  constructor(fragment: UnitFile, dropins: readonly UnitFile[]) {
    this.path = fragment.path;
    this.#read(fragment);
    for (const dropin of dropins) this.#read(dropin);
  }

  get sections(): readonly string[] {
    return [...this.#headers.keys()];
  }

  sectionAt(section: string): SourceLocation | null {
    return this.#headers.get(section) ?? null;
  }

  assignments(section: string): readonly EffectiveAssignment[] {
    return this.#bySection.get(section) ?? NONE;
  }

  values(section: string, key: string): readonly EffectiveValue[] {
    const all = this.#of(section, key);
    const reset = all.findLastIndex((assignment) => assignment.value === "");
    return reset === -1 ? all : all.slice(reset + 1);
  }

  allValues(section: string, key: string): readonly EffectiveValue[] {
    const all = this.#of(section, key);
    return all === NONE ? NONE : all.filter((assignment) => assignment.value !== "");
  }

  last(section: string, key: string): EffectiveValue | null {
    const found = this.assignments(section).findLast((assignment) => assignment.key === key);
    return found === undefined || found.value === "" ? null : found;
  }

  #of(section: string, key: string): readonly EffectiveAssignment[] {
    const all = this.assignments(section);
    const isIt = (assignment: EffectiveAssignment) => assignment.key === key;
    return all.some(isIt) ? all.filter(isIt) : NONE;
  }

  #read(file: UnitFile): void {
    for (const entry of file.entries) {
      if (entry.kind === "section" && !this.#headers.has(entry.name)) {
        this.#headers.set(entry.name, { path: file.path, line: entry.line, column: 1 });
        this.#bySection.set(entry.name, []);
      }
      if (entry.kind === "assignment") {
        this.#bySection.get(entry.section)?.push({ key: entry.key, value: entry.value, at: locationOf(file, entry) });
      }
    }
  }
}
