import type { Terminal } from "./views/plan-text.ts";

/** Below this nothing lines up any more; terminals that do not know their width say 0. */
const COLUMNS_MIN = 40;

/**
 * What may be done to lines on this stream; null where it is no terminal. No colour with --no-color, with NO_COLOR set to anything
 * (no-color.org), or on a terminal that calls itself dumb.
 */
export function terminalOf(stream: NodeJS.WriteStream, noColour: boolean): Terminal | null {
  if (!stream.isTTY) return null;
  const { NO_COLOR = "", TERM = "" } = process.env;
  return {
    columns: Math.max(COLUMNS_MIN, stream.columns ?? 0),
    colour: !noColour && NO_COLOR === "" && TERM !== "dumb",
  };
}
