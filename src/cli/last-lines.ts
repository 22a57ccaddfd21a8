import { execFile } from "node:child_process";
import { serviceNameOf } from "../domain/unit/unit-name.ts";
import { isJournalHere, journalctlOn } from "./journalctl-on.ts";
import { printable } from "./views/printable.ts";
import type { UnitRow } from "./views/unit-rows.ts";

/** journalctl finds ten lines in well under a second; a journal that takes longer is not waited for. */
const LIMIT_MS = 2_000;
const BYTES_MAX = 1 << 20;

/** The last lines of its journal where that is at hand: on this machine, or one of a lab here. Elsewhere, and where it cannot be read, none. */
export async function lastLines(row: UnitRow, lines: number): Promise<readonly string[]> {
  const { machine } = row;
  if (machine === null || lines === 0 || !isJournalHere({ machine })) return [];
  const [program, ...words] = journalctlOn(row, serviceNameOf(row.unit), { lines, follow: false, json: false });
  return new Promise((resolve) => {
    execFile(program!, words, { timeout: LIMIT_MS, maxBuffer: BYTES_MAX }, (error, output) => {
      // Who may not read the journal still sees how the unit is.
      resolve(
        error === null
          ? output
              .split("\n")
              .filter((line) => line !== "")
              .map(printable)
          : [],
      );
    });
  });
}
