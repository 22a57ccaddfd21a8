import type { MachineId } from "../names.ts";
import { type Flaps, type LossHistory, NO_HISTORY } from "./loss-history.ts";

/**
 * What a leader leaves to the next one of its history: which losses it let move, and which machines come and go. All times are
 * milliseconds before (`agoMs`) or after (`leftMs`) it was written, since no two machines' clocks are compared.
 */
export interface LossMemory {
  /** Oldest first. */
  readonly spent: readonly { readonly machine: MachineId; readonly units: number; readonly agoMs: number }[];
  /** Sorted by machine. */
  readonly flaps: readonly {
    readonly machine: MachineId;
    /** Oldest first. */
    readonly agoMs: readonly number[];
    readonly holds: number;
    /** Below 0: it is over. Null: it was never held. */
    readonly leftMs: number | null;
  }[];
}

/** What there is to leave at that moment. */
export function memoryOf({ spent, flaps }: LossHistory, nowMs: number): LossMemory {
  return {
    spent: spent.map(({ machine, units, atMs }) => ({ machine, units, agoMs: nowMs - atMs })),
    flaps: [...flaps].map(([machine, { losses, holds, untilMs }]) => ({
      machine,
      agoMs: losses.map((atMs) => nowMs - atMs),
      holds,
      leftMs: Number.isFinite(untilMs) ? untilMs - nowMs : null,
    })),
  };
}

/**
 * The history of a leader that looks for the first time and has this memory of the one before. How old the memory is nobody knows: it counts
 * as just written, so that a change of leaders makes budgets tighter and holds longer, and never the other way round. What was
 * spent on a machine that is still missing is a part of the same loss: its other units need no second turn.
 */
export function recalledHistory(memory: LossMemory, missing: ReadonlySet<MachineId>, nowMs: number): LossHistory {
  const flapsOf = ({ agoMs, holds, leftMs }: LossMemory["flaps"][number]): Flaps => ({
    losses: agoMs.map((ago) => nowMs - ago),
    holds,
    untilMs: leftMs === null ? Number.NEGATIVE_INFINITY : nowMs + leftMs,
  });
  return {
    ...NO_HISTORY,
    spent: memory.spent
      .map(({ machine, units, agoMs }) => ({ machine, units, atMs: missing.has(machine) ? nowMs : nowMs - agoMs }))
      .sort((a, b) => a.atMs - b.atMs),
    flaps: new Map(memory.flaps.map((one) => [one.machine, flapsOf(one)])),
  };
}

/**
 * Whether a history holds what the one that was written last does not, or nothing any more of what that one does. What has only aged need not be
 * written: it is forgotten with the next loss, or with the last.
 */
export function isToBeKept(now: LossHistory, kept: LossHistory): boolean {
  const isEmpty = ({ spent, flaps }: LossHistory) => spent.length === 0 && flaps.size === 0;
  if (isEmpty(now)) return !isEmpty(kept);
  const lastMissed = (history: LossHistory, machine: MachineId) =>
    history.flaps.get(machine)?.losses.at(-1) ?? Number.NEGATIVE_INFINITY;
  return (
    now.spent.some((one) => !kept.spent.includes(one)) ||
    [...now.flaps.keys()].some((machine) => lastMissed(now, machine) > lastMissed(kept, machine))
  );
}
