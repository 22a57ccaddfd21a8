import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

const SHAPE: Shape = { paths: "strings" };

export const encodeDeliveredPaths = (paths: readonly string[]): string => `${encodeRecord({ paths })}\n`;

/** What cannot be read names nothing: files are left over then, and none is removed that is not known. */
export function decodeDeliveredPaths(text: string | null): readonly string[] {
  if (text === null) return [];
  const decoded = decodeRecord<{ readonly paths: readonly string[] }>(text, SHAPE);
  return decoded.kind === "record" ? decoded.record.paths : [];
}
