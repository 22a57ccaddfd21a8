import type { MachineId } from "../names.ts";
import type { LossHistory } from "./loss-history.ts";

/**
 * `normal`: machines that are silent for long enough are lost, one after the other, and what may move does. `partial-outage`: so many
 * are missing at once that nothing moves. `full-outage`: nobody is there, so it is the judge that is cut off; nothing moves.
 */
export type LossMode = "normal" | "partial-outage" | "full-outage";

/**
 * What one judge says of the machines. Times are milliseconds of the judge's monotonic clock, absolute: a verdict stays the same value
 * for as long as nothing happens and no time of it comes.
 */
export interface LossVerdict {
  readonly mode: LossMode;
  /** Since when it is an outage; null while normal. */
  readonly outage: Outage | null;
  /** Before it ends no machine counts as lost; null: none. */
  readonly hold: LossHold | null;
  /** Those that are missing, and those that flap; sorted by machine. Whoever is not here is there and well. */
  readonly machines: ReadonlyMap<MachineId, MachineVerdict>;
  readonly budget: LossBudget;
  /** When the verdict changes if nothing else happens; null: not by itself. */
  readonly wakeAtMs: number | null;
  /** For the next judgement; of no use to anybody else. */
  readonly history: LossHistory;
}

export interface Outage {
  readonly sinceMs: number;
  /** Who is missing and counts for it; sorted. */
  readonly missing: readonly MachineId[];
  /** Of how many machines that were there. */
  readonly of: number;
  /** As soon as no more than so many of them are missing, it ends. */
  readonly endsAt: number;
}

/**
 * Why this judge does not yet believe its eyes: it has just been `elected`, its `registry` was away, or an `outage` has just ended.
 * Every agent needs up to a lease to show itself again, and the grace as always.
 */
export interface LossHold {
  readonly because: "elected" | "registry" | "outage";
  readonly untilMs: number;
}

export interface MachineVerdict {
  /** `absent`: silent, its units stay its own. `lost`: its units go elsewhere, those of which the grace is over. */
  readonly presence: "present" | "absent" | "lost";
  /** When this judge first saw it so; null while it is there. */
  readonly absentSinceMs: number | null;
  /** What an absent one waits for before it is lost; null for any other. */
  readonly waits: LossWait | null;
  /** Which graces are over, of one that is lost. */
  readonly graces: GracesOver | null;
  readonly flapping: Flapping | null;
}

export type LossWait =
  /** The grace: the shortest of what is on it. */
  | { readonly code: "grace"; readonly untilMs: number }
  /** See `LossVerdict.hold`. */
  | { readonly code: "hold"; readonly because: LossHold["because"]; readonly untilMs: number }
  /** It ends when enough machines are back or somebody says so. */
  | { readonly code: "outage" }
  /** Other machines' units are moving; `untilMs` holds if nothing else happens. */
  | { readonly code: "budget"; readonly because: "machine" | "units"; readonly untilMs: number };

/** `cluster`: that of units with no grace of their own. `ownMs`: own ones are over up to this. */
export interface GracesOver {
  readonly cluster: boolean;
  readonly ownMs: number;
}

export interface Flapping {
  /** How often it was missed within `flapWindow`. */
  readonly losses: number;
  readonly untilMs: number;
  /** False where so many flap that the cause is not theirs: keeping all of them out would leave nowhere to go. */
  readonly cordons: boolean;
}

export interface LossBudget {
  /** Machines whose units moved within `movesWindow`, oldest first. */
  readonly spent: readonly SpentLoss[];
  /** Sum of `spent`; may be above the most there may be where one machine had more. */
  readonly unitsSpent: number;
  readonly unitsMax: number;
}

export interface SpentLoss {
  readonly machine: MachineId;
  readonly atMs: number;
  readonly units: number;
}
