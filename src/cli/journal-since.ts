import { parseDuration } from "../domain/spec/duration.ts";
import { OperationError } from "../ports/operation-error.ts";

/** Milliseconds since 1970 of `10m` (that long ago), a date or a time: what every machine takes alike, whatever its time zone. */
export function parseSince(text: string, nowMs: number): number {
  const ago = parseDuration(text);
  if (ago !== null) return nowMs - ago;
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (!Number.isNaN(atMs)) return atMs;
  throw new OperationError("bad-since", `--since ${text} is no time`, {
    next: "write how long ago, such as 10m or 2h, or a time such as 2026-11-21T10:00:00Z",
  });
}
