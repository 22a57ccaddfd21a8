import { printable } from "./printable.ts";

/** Left-aligned columns, two spaces apart, no padding at line ends; the header is upper case, as fleetctl's. */
export function table(header: readonly string[] | null, rows: readonly (readonly string[])[]): string {
  const all = header === null ? rows : [header.map((title) => title.toUpperCase()), ...rows];
  const cells = all.map((row) => row.map((cell) => printable(cell === "" ? "-" : cell)));
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
