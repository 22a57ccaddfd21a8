import { displayWidth } from "./display-width.ts";
import { cutMiddle, padEnd } from "./fit-width.ts";
import { printableLine } from "./printable.ts";

/** Of a state's word the ends are left. */
const COLUMN_MIN = 4;
/** Of the name a line begins with: only once nothing else can give way, for web@1 and web@2 look alike then. */
const NAME_MIN = 8;
const GAP = "  ";
/** What nearly every cell is: nothing to be made visible, and a terminal's cell for each character. Of 20,000 rows that saves 100 ms. */
const PLAIN = /^[ -~]+$/;

/**
 * Left-aligned columns, two spaces apart, no padding at line ends; the header is upper case, as fleetctl's. `columns`: of the terminal, into
 * which the widest columns are cut, in their middle; null: lines are as long as they are.
 */
export function table(
  header: readonly string[] | null,
  rows: readonly (readonly string[])[],
  columns: number | null = null,
): string {
  const all = header === null ? rows : [header.map((title) => title.toUpperCase()), ...rows];
  const widths = (all[0] ?? []).map(() => 0);
  const cells = all.map((row) =>
    row.map((text, column): Cell => {
      const isPlain = PLAIN.test(text);
      const shown = isPlain ? text : text === "" ? "-" : printableLine(text);
      const width = isPlain ? text.length : displayWidth(shown);
      if (width > (widths[column] ?? 0)) widths[column] = width;
      return { shown, width };
    }),
  );
  const fitted = columns === null ? widths : fittedWidths(widths, columns);
  return cells
    .map((row) =>
      row
        .map(({ shown, width }, column) => {
          const room = fitted[column]!;
          return width > room ? padEnd(cutMiddle(shown, room), room) : shown + " ".repeat(room - width);
        })
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}

/** The widest give up a cell each until all fit; the first, which names what the line is about, last of all. */
function fittedWidths([name = 0, ...rest]: readonly number[], columns: number): readonly number[] {
  let over = rest.reduce((sum, width) => sum + GAP.length + width, name) - columns;
  for (; over > 0; over--) {
    const widest = rest.indexOf(Math.max(...rest));
    if (rest.length === 0 || rest[widest]! <= COLUMN_MIN) break;
    rest[widest]! -= 1;
  }
  return [over > 0 ? Math.max(Math.min(name, NAME_MIN), name - over) : name, ...rest];
}

interface Cell {
  readonly shown: string;
  readonly width: number;
}
