import { REMEMBERED_MAX } from "../domain/notify/decide-news.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** What stands at `engine/notified`: the keys of what somebody was told, so that the next leader does not tell it again. */
interface NotifiedRecord {
  readonly keys: readonly string[];
}
const NOTIFIED_SHAPE: Shape = {};

export function encodeNotified(keys: readonly string[]): string {
  return encodeRecord({ keys: keys.slice(0, REMEMBERED_MAX) });
}

/** A damaged record says nothing: then something may be told twice. */
export function decodeNotified(text: string): readonly string[] {
  const decoded = decodeRecord<NotifiedRecord>(text, NOTIFIED_SHAPE);
  if (decoded.kind !== "record" || !Array.isArray(decoded.record.keys)) return [];
  return decoded.record.keys.filter((key) => typeof key === "string").slice(0, REMEMBERED_MAX);
}
