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
  const headers = new Map<string, SourceLocation>();
  const bySection = new Map<string, EffectiveAssignment[]>();
  for (const file of [fragment, ...dropins]) {
    for (const entry of file.entries) {
      if (entry.kind === "section" && !headers.has(entry.name)) {
        headers.set(entry.name, { path: file.path, line: entry.line, column: 1 });
        bySection.set(entry.name, []);
      }
      if (entry.kind === "assignment") {
        bySection.get(entry.section)?.push({ key: entry.key, value: entry.value, at: locationOf(file, entry) });
      }
    }
  }
  const assignments = (section: string): readonly EffectiveAssignment[] => bySection.get(section) ?? [];
  const of = (section: string, key: string) => assignments(section).filter((assignment) => assignment.key === key);
  return {
    path: fragment.path,
    sections: [...headers.keys()],
    sectionAt: (section) => headers.get(section) ?? null,
    assignments,
    values: (section, key) => {
      const all = of(section, key);
      return all.slice(all.findLastIndex((assignment) => assignment.value === "") + 1);
    },
    allValues: (section, key) => of(section, key).filter((assignment) => assignment.value !== ""),
    last: (section, key) => {
      const found = of(section, key).at(-1) ?? null;
      return found === null || found.value === "" ? null : found;
    },
  };
}
