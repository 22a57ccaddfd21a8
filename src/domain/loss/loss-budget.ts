import type { MachineId } from "../names.ts";
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

export interface MovingMachine {
  readonly machine: MachineId;
  /** Since when it is missing: what it cost before is another loss. */
  readonly sinceMs: number;
  readonly units: number;
}

/**
 * When units of a machine may begin to move, and what they wait for. Budgets count machines (protocol rule 29): one moves as one batch,
 * whatever it holds, and its units with a longer grace wait for no window but their own; another one waits for `lossWindow`, and for
 * room that those of the last `movesWindow` have left. `spent` is in the order of time, and may hold turns to come.
 */
export function nextTurn(
  spent: readonly SpentLoss[],
  { machine, sinceMs, units }: MovingMachine,
  max: number,
  nowMs: number,
  { lossWindowMs, movesWindowMs }: LossThresholds,
): Turn {
  const isOther = (one: SpentLoss) => one.machine !== machine || one.atMs < sinceMs;
  const last = spent.findLast(isOther);
  const machineAtMs = last === undefined ? nowMs : Math.max(nowMs, last.atMs + lossWindowMs);
  const moving = spentWithin(spent, nowMs, movesWindowMs);
  let room = max - sumOf(moving);
  let others = moving.filter(isOther).length;
  let unitsAtMs = nowMs;
  for (const old of moving) {
    if (others === 0 || room >= units) break;
    unitsAtMs = old.atMs + movesWindowMs;
    room += old.units;
    if (isOther(old)) others -= 1;
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
