import type { LossMemory } from "../domain/loss/loss-memory.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** What stands at `engine/losses`. */
const LOSSES_SHAPE: Shape = { spent: "objects", flaps: "objects" };
const SPENT_SHAPE: Shape = { machine: "string", units: "number", agoMs: "number" };
const FLAPS_SHAPE: Shape = { machine: "string", holds: "number" };

export const NO_MEMORY: LossMemory = { spent: [], flaps: [] };

export function encodeLosses(memory: LossMemory): string {
  return encodeRecord(memory);
}

/** Nothing where nobody can read it: then a leader starts with fresh budgets, after its hold. Parts that make no sense are left out. */
export function decodeLosses(text: string): LossMemory {
  const decoded = decodeRecord<{ readonly spent: readonly object[]; readonly flaps: readonly object[] }>(
    text,
    LOSSES_SHAPE,
  );
  if (decoded.kind !== "record") return NO_MEMORY;
  const { spent, flaps } = decoded.record;
  return {
    spent: spent
      .filter((one): one is LossMemory["spent"][number] => hasShape(one, SPENT_SHAPE))
      .filter(({ machine, units, agoMs }) => isMachine(machine) && isTime(agoMs) && isCount(units)),
    flaps: flaps
      .filter((one): one is LossMemory["flaps"][number] => hasShape(one, FLAPS_SHAPE))
      .filter(
        ({ machine, agoMs, holds, leftMs }) =>
          isMachine(machine) && isCount(holds) && isTimes(agoMs) && (leftMs === null || Number.isFinite(leftMs)),
      ),
  };
}

function isMachine(machine: MachineId): boolean {
  return parseMachineId(machine) !== null;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isTimes(value: unknown): boolean {
  return Array.isArray(value) && value.every(isTime);
}
