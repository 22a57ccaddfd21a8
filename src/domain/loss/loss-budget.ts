import type { LossThresholds } from "./damping.ts";
import type { SpentLoss } from "./loss-verdict.ts";

export interface Turn {
  readonly atMs: number;
  /** What it waits for; null: nothing. */
  readonly because: "machine" | "units" | null;
}

/** How many units may move within `movesWindow`, rounded up: of three units one, not none. */
export function unitsMax(units: number, { movesAtPercent }: LossThresholds): number {
  return Math.ceil((units * movesAtPercent) / 100);
}

/**
 * When the next machine's units may begin to move, and what it waits for. Budgets count machines (protocol rule 29): one moves as one
 * batch, whatever it holds; the next one after `lossWindow`, and only with the room that those of the last `movesWindow` have left.
 */
export function nextTurn(
  spent: readonly SpentLoss[],
  units: number,
  max: number,
  nowMs: number,
  { lossWindowMs, movesWindowMs }: LossThresholds,
): Turn {
  const last = spent.at(-1);
  const machineAtMs = last === undefined ? nowMs : Math.max(nowMs, last.atMs + lossWindowMs);
  let unitsAtMs = nowMs;
  const moving = spentWithin(spent, nowMs, movesWindowMs);
  let room = max - sumOf(moving);
  for (const old of moving) {
    if (room >= units) break;
    unitsAtMs = old.atMs + movesWindowMs;
    room += old.units;
  }
  const atMs = Math.max(machineAtMs, unitsAtMs);
  if (atMs === nowMs) return { atMs, because: null };
  return { atMs, because: unitsAtMs > machineAtMs ? "units" : "machine" };
}

/** Of a window that ends now and does not hold its beginning. */
export function spentWithin(spent: readonly SpentLoss[], nowMs: number, windowMs: number): readonly SpentLoss[] {
  return spent.filter(({ atMs }) => atMs > nowMs - windowMs);
}

export function sumOf(spent: readonly SpentLoss[]): number {
  return spent.reduce((sum, { units }) => sum + units, 0);
}
