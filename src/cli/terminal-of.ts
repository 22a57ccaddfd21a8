import type { Terminal } from "./views/terminal.ts";

/** Below this nothing lines up any more. */
const COLUMNS_MIN = 40;
/** Of terminals that do not know their width and say 0. */
const COLUMNS_USUAL = 80;

/**
 * What may be done to lines on this stream; null where it is no terminal. No colour with --no-color, with NO_COLOR set to anything
 * (no-color.org), or on a terminal that calls itself dumb.
 */
export function terminalOf(stream: NodeJS.WriteStream, noColour: boolean): Terminal | null {
  if (!stream.isTTY) return null;
  const { NO_COLOR = "", TERM = "" } = process.env;
  return {
    columns: Math.max(COLUMNS_MIN, stream.columns || COLUMNS_USUAL),
    colour: !noColour && NO_COLOR === "" && TERM !== "dumb",
  };
}
