import type { RegistryMark } from "../domain/fencing/judge-replaced.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

export const MARK_SHAPE: Shape = {
  clusterId: "string",
  epoch: "number",
  term: "number",
  seq: "number",
  commit: "string?",
};

export const encodeRegistryMark = (mark: RegistryMark): string => `${encodeRecord(mark)}\n`;

/** Null where there is none, or none that can be read: then nothing is remembered. */
export function decodeRegistryMark(text: string | null): RegistryMark | null {
  if (text === null) return null;
  const decoded = decodeRecord<RegistryMark>(text, MARK_SHAPE);
  return decoded.kind === "record" ? decoded.record : null;
}
