import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import type { UnitName } from "../domain/names.ts";
import { compileGlob } from "../domain/unit/glob.ts";
import { type FoundUnits, findUnits } from "../domain/why/find-units.ts";
import { OperationError } from "../ports/operation-error.ts";
import { memberNamed } from "./member-named.ts";
import type { UnitRow } from "./views/unit-rows.ts";
import { unknownText } from "./views/why-verdict-text.ts";

const GLOB = /[*?[]/;

export interface ChosenUnits {
  /** In the order of the rows. */
  readonly rows: readonly UnitRow[];
  /** Names of nothing. A pattern that nothing fits is none: there may be nothing to fit it. */
  readonly unknown: readonly Extract<FoundUnits, { kind: "unknown" }>[];
}

/** The rows of the units that words name: by name, without `.service`, by a template's, by a glob. No words: all rows. */
export function chooseUnits(words: readonly string[], rows: readonly UnitRow[]): ChosenUnits {
  if (words.length === 0) return { rows, unknown: [] };
  const known = { cluster: new Set(rows.map(({ unit }) => unit)), head: null, worktree: null };
  const chosen = new Set<UnitName>();
  const unknown: ChosenUnits["unknown"][number][] = [];
  for (const word of words) {
    const found = findUnits(word, known);
    if (found.kind === "found") for (const unit of found.units) chosen.add(unit);
    else if (!GLOB.test(word) || compileGlob(word) === null) unknown.push(found);
  }
  return { rows: rows.filter(({ unit }) => chosen.has(unit)), unknown };
}

export interface ListFilter {
  readonly machine?: string | undefined;
  /** Words, any of which may fit: `active,failed`. */
  readonly state?: string | undefined;
}

/** What list commands show of them: the words' units, on that machine, in one of those states. Rejects where a word names nothing. */
export function filterRows(
  rows: readonly UnitRow[],
  members: readonly Member[],
  words: readonly string[],
  filter: ListFilter,
  statesOf: (row: UnitRow) => readonly string[],
): readonly UnitRow[] {
  const { rows: chosen, unknown } = chooseUnits(words, rows);
  refuseUnknown(unknown);
  const machine = filter.machine === undefined ? null : memberNamed(filter.machine, members).id;
  const states = statesAsked(filter.state);
  return chosen.filter(
    (row) =>
      (machine === null || row.machine === machine) &&
      (states === null || statesOf(row).some((state) => states.has(state))),
  );
}

/** Null where nobody asked. */
export function statesAsked(state: string | undefined): ReadonlySet<string> | null {
  return state === undefined ? null : new Set(state.split(",").map((word) => word.trim()));
}

/** All of them at once: whoever mistypes two names wants to hear of both. */
export function refuseUnknown(unknown: ChosenUnits["unknown"]): void {
  if (unknown.length === 0) return;
  throw new OperationError("unit-unknown", unknown.map(unknownText).join("; "), {
    next: "fleet list-unit-files names all there are",
  });
}
