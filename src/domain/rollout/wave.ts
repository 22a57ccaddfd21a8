import type { MachineId, UnitName } from "../names.ts";

/** Changes that happen together; the next wave waits until they are as wanted. */
export interface Wave {
  /** Sorted by unit, then machine: where it will be, or where it was if it goes. */
  readonly changes: readonly { readonly unit: UnitName; readonly machine: MachineId }[];
  /** Of every set of replicas that loses one while this wave is under way; sorted by set. */
  readonly budgets: readonly WaveBudget[];
}

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
