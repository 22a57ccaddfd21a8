import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { compareText, type UnitName } from "../names.ts";
import { isMassStop } from "../plan/mass-change.ts";

/** What of a machine would stop at once, and nobody said that it should. */
export interface MassStop {
  /** Sorted. */
  readonly stops: readonly UnitName[];
  /** How many run now. */
  readonly of: number;
}

type Placed = Pick<PlacedUnit, "unit" | "goal">;

/**
 * Whether a machine's next set stops so much of what it runs that a person has to say so: more than a quarter and at least three units,
 * or everything there is (a manifest that lists no machine of that name any more, metadata that was lost). Null: it does not.
 */
export function massStop(before: readonly Placed[], after: readonly Placed[]): MassStop | null {
  const running = before.filter(({ goal }) => goal === "launched").map(({ unit }) => unit);
  const kept = new Set(after.filter(({ goal }) => goal === "launched").map(({ unit }) => unit));
  const stops = running.filter((unit) => !kept.has(unit)).sort(compareText);
  if (stops.length === 0) return null;
  const isAll = stops.length === running.length && kept.size === 0;
  return isAll || isMassStop(stops.length, running.length) ? { stops, of: running.length } : null;
}

/** The line at the end of a commit's message that allows one: it is signed with the commit, and needs no way to the machine. */
export const MASS_STOP_TRAILER = "Fleet-Allow-Stops: yes";
const TRAILER = /^Fleet-Allow-Stops:[ \t]*yes[ \t]*$/im;

/** Whether the message of this commit says that its machines may stop that much. */
export function allowsMassStop(message: string): boolean {
  const paragraphs = message.trimEnd().split(/\n[ \t]*\n/);
  return paragraphs.length > 1 && TRAILER.test(paragraphs.at(-1)!);
}
