import type { SourceLocation } from "../diagnostic.ts";
import { isSingleValued } from "./changed-directives.ts";
import type { EffectiveAssignment, EffectiveUnit } from "./effective-unit.ts";

/** One line of a unit as systemd reads it, and where its author wrote it. */
export interface EffectiveLine {
  readonly text: string;
  /** Null for what no author wrote: the space between sections. */
  readonly at: SourceLocation | null;
}

/**
 * A fragment and its drop-ins as one unit: each section once, its assignments in the order systemd applies them. What an empty assignment
 * takes back is left out, and so is what a later one overrides where only the last counts. Comments are nobody's effect.
 */
export function printEffectiveUnit(unit: EffectiveUnit): EffectiveLine[] {
  return unit.sections.flatMap((section, index) => [
    ...(index === 0 ? [] : [{ text: "", at: null }]),
    { text: `[${section}]`, at: unit.sectionAt(section) },
    ...inForce(unit.assignments(section)).map(({ key, value, at }) => ({ text: `${key}=${value}`, at })),
  ]);
}

/** An empty assignment stays where nothing follows it: of some directives it is a value of its own. */
function inForce(assignments: readonly EffectiveAssignment[]): readonly EffectiveAssignment[] {
  const startOf = new Map<string, number>();
  assignments.forEach(({ key, value }, index) => {
    if (value === "" || isSingleValued(key)) startOf.set(key, index);
  });
  const last = new Map(assignments.map(({ key }, index) => [key, index]));
  return assignments.filter(({ key, value }, index) => {
    if (index < (startOf.get(key) ?? 0)) return false;
    return value !== "" || last.get(key) === index;
  });
}
