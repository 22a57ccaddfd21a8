import type { UnitName } from "../domain/names.ts";

/** What a machine needs to run its last units without the agent. */
export interface BootSet {
  /** Absolute paths, without line ends; copied in this order. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** Services, in the order in which they are to be started. */
  readonly start: readonly UnitName[];
}

/**
 * Lines that a POSIX shell reads with nothing but `read` (packaging/systemd/fleet-restore): `file PATH`, then its text with `|` before
 * each line, or `>` before one that has no line end; `start SERVICE`; `end`, by which a set is known to be whole.
 */
export function encodeBootSet({ files, start }: BootSet): string {
  const lines = [
    ...files.flatMap(({ path, text }) => [`file ${path}`, ...textLines(text)]),
    ...start.map((service) => `start ${service}`),
    "end",
  ];
  return `${lines.join("\n")}\n`;
}

function textLines(text: string): string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return [...lines.map((line) => `|${line}`), ...(last === "" ? [] : [`>${last}`])];
}
