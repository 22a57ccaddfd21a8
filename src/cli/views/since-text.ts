import { agoText } from "./duration-text.ts";

/** `since 2026-11-21T12:00:00.000Z (5 min ago)`; empty where nobody knows. */
export function sinceText(time: string | null, nowMs: number, word = "since"): string {
  if (time === null || time === "") return "";
  const ago = agoText(time, nowMs);
  return ago === "" ? `${word} ${time}` : `${word} ${time} (${ago})`;
}
