import { isRewind, type Rewind } from "../domain/trust/rewind.ts";
import { decodeRecord, encodeRecord } from "./record.ts";

export const encodeRewind = (rewind: Rewind): string => `${encodeRecord(rewind)}\n`;

/** Null where there is none, or one that cannot be read: an order nobody can read lets nothing through. */
export function decodeRewind(text: string | null): Rewind | null {
  if (text === null) return null;
  const decoded = decodeRecord<Rewind>(text, {});
  return decoded.kind === "record" && isRewind(decoded.record) ? decoded.record : null;
}
