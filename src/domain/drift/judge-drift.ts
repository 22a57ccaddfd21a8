import type { DriftPolicy } from "./drift-policy.ts";
import type { DriftSeen, UnitDrift } from "./unit-drift.ts";

/**
 * How often one unit is put back in a window. Who looks into a unit stops or edits it a few times and is done; whoever changes it a sixth
 * time within the hour means it, or is a program that does the same as we do, and each round may cost a restart.
 */
export const CORRECTIONS_MAX = 5;
/** Programs that put files where they want them run every few minutes; given up, it is left alone for as long before it is tried again. */
export const CORRECTION_WINDOW_MS = 3_600_000;

/** What is remembered of a unit that drifted. */
export interface DriftMemory {
  /** What differed when it was looked at last, or before it was put back. */
  readonly seen: readonly DriftSeen[];
  readonly since: string;
  /** Whether it differs still. */
  readonly isThere: boolean;
  /** Monotonic milliseconds of each correction within the window, oldest first. */
  readonly correctedAtMs: readonly number[];
  readonly givenUp: boolean;
}

export interface DriftVerdict {
  /** Whether what differs is to be put back; false also where nothing differs. */
  readonly correct: boolean;
  /** To be handed in again; null where there is nothing to remember. */
  readonly memory: DriftMemory | null;
}

/** `wall` is RFC 3339, for people. */
export interface DriftNow {
  readonly monotonicMs: number;
  readonly wall: string;
}

/** What to do about one unit, of which `seen` differs now (nothing: it is as it should be). */
export function judgeDrift(
  policy: DriftPolicy,
  seen: readonly DriftSeen[],
  before: DriftMemory | null,
  now: DriftNow,
): DriftVerdict {
  if (policy === "off") return { correct: false, memory: null };
  const correctedAtMs = (before?.correctedAtMs ?? []).filter((atMs) => atMs > now.monotonicMs - CORRECTION_WINDOW_MS);
  if (seen.length === 0) {
    const isOver = before === null || correctedAtMs.length === 0;
    const memory = isOver ? null : { ...before, correctedAtMs, isThere: false, givenUp: false };
    return { correct: false, memory };
  }
  const since = before?.isThere === true ? before.since : now.wall;
  // Once given up it stays so until it has not been touched for a whole window, or was seen as it should be.
  const isExhausted = correctedAtMs.length >= CORRECTIONS_MAX || (before?.givenUp === true && correctedAtMs.length > 0);
  const givenUp = policy === "correct" && isExhausted;
  return {
    correct: policy === "correct" && !givenUp,
    memory: { seen, since, isThere: true, correctedAtMs, givenUp },
  };
}

/** It was put back. What was the stop of another unit's doing is repaired as often as it takes, and not counted. */
export function afterCorrection(memory: DriftMemory, nowMs: number, counts: boolean): DriftMemory {
  return { ...memory, isThere: false, correctedAtMs: counts ? [...memory.correctedAtMs, nowMs] : memory.correctedAtMs };
}

/** A new order has come for this machine: what was given up is tried anew. */
export function afterNewOrder(memory: DriftMemory): DriftMemory {
  return memory.givenUp ? { ...memory, givenUp: false, correctedAtMs: [] } : memory;
}

/** For its status. */
export function reportDrift(policy: DriftPolicy, memory: DriftMemory): UnitDrift {
  const { seen, since, isThere, correctedAtMs, givenUp } = memory;
  const there = policy === "correct" ? "correcting" : "detected";
  const outcome = !isThere ? "corrected" : givenUp ? "given-up" : there;
  return { seen, since, corrected: correctedAtMs.length, outcome };
}
