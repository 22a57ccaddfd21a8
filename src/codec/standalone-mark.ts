import type { CommitId } from "../domain/names.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** The last commit a standalone machine took, kept apart from the rest of what it remembers: what comes later must descend from it. */
export interface StandaloneMark {
  readonly seq: number;
  readonly commit: CommitId;
}

const MARK_SHAPE: Shape = { seq: "number", commit: "string" };

export const encodeStandaloneMark = (mark: StandaloneMark): string => `${encodeRecord(mark)}\n`;

/** Null where there is none, or one that is damaged: then the other copy counts. */
export function decodeStandaloneMark(text: string | null): StandaloneMark | null {
  if (text === null) return null;
  const decoded = decodeRecord<StandaloneMark>(text, MARK_SHAPE);
  return decoded.kind === "record" && /^[0-9a-f]{40,64}$/.test(decoded.record.commit) ? decoded.record : null;
}
