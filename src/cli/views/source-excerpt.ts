import type { SourceExcerpt } from "../../domain/diagnostic.ts";
import { displayWidth } from "./display-width.ts";
import { printable } from "./printable.ts";

/** What fits a terminal of 80 cells with the indent. */
const SHOWN_MAX = 76;
/** Of a line that is cut, what is kept in front of the place. */
const BEFORE_MAX = 30;
const TAB = 8;
const INDENT = "    ";

/** The line and a caret under the place; a long line is cut around it. Tabs become blanks, so that the caret stands where it should. */
export function excerptLines({ text, column }: SourceExcerpt): readonly string[] {
  const cells = cellsOf(text);
  const index = Math.min(column === null ? 0 : column - 1, text.length);
  const at = cells.filter((cell) => cell.from < index).length;
  const { from, to } = shownPart(cells, at);
  const shown = cells.slice(from, to).map((cell) => cell.shown);
  const [head, tail] = [from > 0 ? "…" : "", to < cells.length ? "…" : ""];
  const line = `${INDENT}${head}${shown.join("")}${tail}`.trimEnd();
  if (column === null) return [line];
  const before = displayWidth(head) + displayWidth(shown.slice(0, at - from).join(""));
  return [line, `${INDENT}${" ".repeat(before)}^`];
}

interface Cell {
  /** Of the text, in UTF-16 code units. */
  readonly from: number;
  readonly shown: string;
}

function cellsOf(text: string): readonly Cell[] {
  const cells: Cell[] = [];
  let from = 0;
  let width = 0;
  for (const character of text) {
    const shown = character === "\t" ? " ".repeat(TAB - (width % TAB)) : visible(character);
    cells.push({ from, shown });
    width += displayWidth(shown);
    from += character.length;
  }
  return cells;
}

/** `printable` drops a carriage return, which here is most likely what the finding is about. */
function visible(character: string): string {
  return character === "\r" ? "\\r" : printable(character);
}

/** From which cell to which: all of it where it fits, else some of what is before the place and as much after it as fits. */
function shownPart(cells: readonly Cell[], at: number): { from: number; to: number } {
  const widths = cells.map((cell) => displayWidth(cell.shown));
  if (widths.reduce((sum, width) => sum + width, 0) <= SHOWN_MAX) return { from: 0, to: cells.length };
  let from = at;
  for (let width = 0; from > 0 && width + widths[from - 1]! <= BEFORE_MAX; from--) width += widths[from - 1]!;
  // Cutting a handful of characters says less than showing them.
  if (from < 4 && at <= BEFORE_MAX) from = 0;
  let to = from;
  let shown = 0;
  for (; to < cells.length && shown + widths[to]! <= SHOWN_MAX; to++) shown += widths[to]!;
  // What is left where the line ends early goes to what stands before.
  for (; from > 0 && shown + widths[from - 1]! <= SHOWN_MAX; from--) shown += widths[from - 1]!;
  return { from, to };
}
