import type { MachineId } from "../names.ts";
import type { LossHold, SpentLoss } from "./loss-verdict.ts";

/** What one judge has seen with its own eyes, and what the one before has left it (`LossMemory`). Milliseconds of one monotonic clock. */
export interface LossHistory {
  /** Who was there at the last look; null before the first. */
  readonly present: ReadonlySet<MachineId> | null;
  /** Everybody who is absent now. */
  readonly absences: ReadonlyMap<MachineId, Absence>;
  readonly hold: { readonly because: LossHold["because"]; readonly fromMs: number } | null;
  readonly outage: KnownOutage | null;
  /** Whose units may move, those with a grace up to so many milliseconds: each of these had its turn. */
  readonly admitted: ReadonlyMap<MachineId, number>;
  /** Oldest first; only those of the longest window. */
  readonly spent: readonly SpentLoss[];
  readonly flaps: ReadonlyMap<MachineId, Flaps>;
}

export interface Absence {
  readonly sinceMs: number;
  /** False where it was absent at the first look: when it went, nobody knows. */
  readonly seenGoing: boolean;
  /** Something else explains it: an outage, a registry that was away, a drain. Then the machine does not flap by it. */
  readonly excused: boolean;
}

export interface KnownOutage {
  readonly kind: "partial" | "full";
  readonly sinceMs: number;
}

export interface Flaps {
  /** When it was back, each time; within the window; oldest first. */
  readonly losses: readonly number[];
  /** How often it was held: the next hold is that many times doubled. */
  readonly holds: number;
  readonly untilMs: number;
}

/** The history of a judge that has looked at nothing yet. */
export const NO_HISTORY: LossHistory = {
  present: null,
  absences: new Map(),
  hold: null,
  outage: null,
  admitted: new Map(),
  spent: [],
  flaps: new Map(),
};
