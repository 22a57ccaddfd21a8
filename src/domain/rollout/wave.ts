import type { MachineId, UnitName } from "../names.ts";

/** Changes that happen together; the next wave waits until they are as wanted. */
export interface Wave {
  /** Sorted by unit, then machine: where it will be, or where it was if it goes. */
  readonly changes: readonly { readonly unit: UnitName; readonly machine: MachineId }[];
  /** Of every set of replicas that loses one while this wave is under way; sorted by set. */
  readonly budgets: readonly WaveBudget[];
  /** The ring whose machines it changes, counted from 0. Absent: the commit has no rings. */
  readonly ring?: number;
  /** What has to pass before it begins, beside the end of the wave before. Absent: nothing. */
  readonly after?: WaveGate;
}

/**
 * `bake`: the canaries of `sets` (sorted) were healthy for `ms`. `soak`: the machines of ring `ring` were healthy for `ms`, and it is within `window`,
 * in which changes of the wave's own ring begin; `ring` is null where no ring was changed before.
 */
export type WaveGate =
  | { readonly kind: "bake"; readonly sets: readonly string[]; readonly ms: number }
  | {
      readonly kind: "soak";
      readonly ring: number | null;
      readonly ms: number;
      /** As it is written. */
      readonly window: string | null;
    };

export interface WaveBudget {
  /** What one budget counts: a template's name for all its instances, or a unit's own. */
  readonly set: string;
  /** How many stay up while the wave is under way. */
  readonly up: number;
  readonly of: number;
  /** The fewest the budget allows. */
  readonly min: number;
}

/** A wave that leaves a set worse than its budget and worse than it is now. */
export interface BudgetRefusal extends WaveBudget {
  /** Counted from 1. */
  readonly wave: number;
  /** How many are up now. */
  readonly now: number;
}
