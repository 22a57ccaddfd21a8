import { displayWidth } from "./display-width.ts";
import { printableLine } from "./printable.ts";

/** Left-aligned columns, two spaces apart, no padding at line ends; the header is upper case, as fleetctl's. */
export function table(header: readonly string[] | null, rows: readonly (readonly string[])[]): string {
  const all = header === null ? rows : [header.map((title) => title.toUpperCase()), ...rows];
  const widths = (all[0] ?? []).map(() => 0);
  const cells = all.map((row) =>
    row.map((text, column): Cell => {
      const shown = printableLine(text === "" ? "-" : text);
      const width = displayWidth(shown);
      if (width > (widths[column] ?? 0)) widths[column] = width;
      return { shown, width };
    }),
  );
  return cells
    .map((row) =>
      row
        .map(({ shown, width }, column) => shown + " ".repeat(widths[column]! - width))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

interface Cell {
  readonly shown: string;
  readonly width: number;
}
