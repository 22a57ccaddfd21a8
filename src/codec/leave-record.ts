import type { UnitHash, UnitName } from "../domain/names.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** What a machine that leaves its cluster has begun, on its disk until it is done: whoever runs it again does the rest, also after a boot. */
export interface LeaveRecord {
  readonly keep: boolean;
  readonly units: readonly LeavingUnit[];
}

export interface LeavingUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  /** Of its text among what the agent keeps; null where a write of it was under way. */
  readonly hash: UnitHash | null;
  /** Relative to the unit folder. */
  readonly files: readonly string[];
  /** fleet had started it: kept, it is started at boot. */
  readonly isStarted: boolean;
}

const SHAPE: Shape = { keep: "boolean", units: "objects" };
const UNIT_SHAPE: Shape = {
  name: "string",
  service: "string",
  hash: "string?",
  files: "strings",
  isStarted: "boolean",
};

export const encodeLeave = (record: LeaveRecord): string => `${encodeRecord(record)}\n`;

/** Null where none was begun, or it is damaged: then it is begun by what is there. */
export function decodeLeave(text: string | null): LeaveRecord | null {
  const decoded = text === null ? null : decodeRecord<LeaveRecord>(text, SHAPE);
  if (decoded?.kind !== "record") return null;
  return decoded.record.units.every((unit) => hasShape(unit, UNIT_SHAPE)) ? decoded.record : null;
}
