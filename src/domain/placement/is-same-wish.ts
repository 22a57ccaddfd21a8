import type { SpecUnit } from "../spec/cluster-spec.ts";

/**
 * Whether placement reads the same of both values of a unit: a commit that is compiled makes new values of all its units, of which it changed
 * a few. Whatever `src/domain/placement` begins to read of a unit belongs here.
 */
export function isSameWish(a: SpecUnit, b: SpecUnit): boolean {
  return (
    a.group === b.group &&
    a.goal === b.goal &&
    a.requests?.cpuMilli === b.requests?.cpuMilli &&
    a.requests?.memoryBytes === b.requests?.memoryBytes &&
    isSameValue(a.replace, b.replace) &&
    isSameOptions(a.options, b.options)
  );
}

/** `machineOf`, `group` and `move` have gone into the groups. */
function isSameOptions(a: SpecUnit["options"], b: SpecUnit["options"]): boolean {
  return (
    a === b ||
    (a.global === b.global &&
      a.machineId === b.machineId &&
      a.maxPerMachine === b.maxPerMachine &&
      isSameValue(a.spread, b.spread) &&
      isSameList(a.conflicts, b.conflicts) &&
      isSameList(a.replaces, b.replaces) &&
      isSameList(a.machineMetadata, b.machineMetadata))
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, index) => isSameValue(value, b[index]));
}

/** Small values, made by the same code: their members stand in the same order. */
function isSameValue(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === "object" && JSON.stringify(a) === JSON.stringify(b));
}
