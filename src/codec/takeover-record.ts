import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** A takeover of a unit, kept on the machine's disk: a power-off in between does not leave half of somebody's files in force. */
export interface TakeoverRecord {
  /** What systemd had loaded. */
  readonly fragmentPath: string;
  /** What goes out of the way. */
  readonly paths: readonly string[];
  /** All of it has gone. */
  readonly done: boolean;
}

const SHAPE: Shape = { fragmentPath: "string", paths: "strings", done: "boolean" };

export const encodeTakeover = (record: TakeoverRecord): string => `${encodeRecord(record)}\n`;

/** Null where there is none, or it is damaged: then the unit is looked at anew. */
export function decodeTakeover(text: string | null): TakeoverRecord | null {
  if (text === null) return null;
  const decoded = decodeRecord<TakeoverRecord>(text, SHAPE);
  return decoded.kind === "record" ? decoded.record : null;
}
