import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Plan } from "./plan.ts";

/** A plan that stops so much that it is more likely a mistake than meant. Counts of units that are placed now, each once. */
export interface MassChange {
  readonly code: "empties" | "stops-many";
  readonly stopped: number;
  readonly of: number;
}

/** Fewer is a day's work in a small cluster. */
const STOPPED_MIN = 3;
/** More than this share of what runs: a `paths:` that lost a folder, a branch that was reset, a bad merge. */
const STOPPED_SHARE = 0.25;

/**
 * Null, or what a person is to say once more: that more than 25 % of the units, and at least 3, stop everywhere, or that no unit is left.
 * A unit that is elsewhere afterwards, or is started again, has not stopped.
 */
export function massChange(
  { changes, placements }: Pick<Plan, "changes" | "placements">,
  { units }: Pick<ClusterSpec, "units">,
): MassChange | null {
  const isUp = new Set(placements.flatMap(({ unit, goal }) => (goal === "launched" ? [unit] : [])));
  const stopped = new Set(changes.flatMap(({ unit, effect }) => (effect === "stop" && !isUp.has(unit) ? [unit] : [])));
  const isNew = new Set(changes.flatMap(({ unit, from }) => (from === null ? [unit] : [])));
  const before = [...placements, ...changes.filter(({ from }) => from !== null)].map(({ unit }) => unit);
  const of = new Set(before.filter((unit) => stopped.has(unit) || !isNew.has(unit))).size;
  if (of > 0 && units.length === 0) return { code: "empties", stopped: of, of };
  return isMassStop(stopped.size, of) ? { code: "stops-many", stopped: stopped.size, of } : null;
}

/** Whether so many units of that many are a mass: of a cluster, or of one machine that follows git alone. */
export function isMassStop(stopped: number, of: number): boolean {
  return stopped >= STOPPED_MIN && stopped > of * STOPPED_SHARE;
}
