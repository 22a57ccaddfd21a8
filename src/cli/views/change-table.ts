import type { Effect } from "../../domain/plan/plan.ts";
import type { ChangeGroup, ChangeRow } from "./change-rows.ts";
import { displayWidth } from "./display-width.ts";
import { cutEnd, cutMiddle, padEnd } from "./fit-width.ts";
import { printableLine } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** Rows of one effect before the rest is counted: more than a screen is not read, and the JSON has all. */
const ROWS_MAX = 50;
/** Fewer cells than this tell nobody why. */
const WHY_CELLS_MIN = 12;
/** Of what a narrow terminal has left for names, the unit's part; machines have shorter ones. */
const UNIT_PART = 0.6;

/**
 * Changes as lines: effect and count once, in front of the first row, then sign, unit, machine and reason. A terminal too narrow gets the
 * reason cut, then left out, then names cut: one change is always one line.
 */
export function changeLines(groups: readonly ChangeGroup[], terminal: Terminal | null): string[] {
  const lines = groups.flatMap(linesOf);
  const widest = (cell: (line: Line) => string) => Math.max(0, ...lines.map((line) => displayWidth(cell(line))));
  const [effect, count] = [widest((line) => line.effect), widest((line) => line.count)];
  const front = effect + count + SIGN_CELLS;
  const columns = fit(terminal, front, { unit: widest((line) => line.unit), where: widest((line) => line.where) });
  return lines.map((line) => {
    const cells = [
      coloured(line.group, padEnd(line.effect, effect), terminal),
      line.count.padStart(count),
      coloured(line.group, line.sign, terminal),
      padEnd(cutMiddle(line.unit, columns.unit), line.where + line.why === "" ? 0 : columns.unit),
      padEnd(cutEnd(line.where, columns.where), line.why === "" ? 0 : columns.where),
      columns.why < WHY_CELLS_MIN ? "" : cutEnd(line.why, columns.why),
    ];
    return cells.join("  ").trimEnd();
  });
}

/** The sign and the two spaces on each side of it, and those behind the effect. */
const SIGN_CELLS = 2 + 2 + 1 + 2;

interface Line extends Omit<ChangeRow, "count"> {
  readonly group: Effect;
  readonly effect: string;
  readonly count: string;
}

function linesOf({ effect, count, rows }: ChangeGroup): Line[] {
  const shown = rows.slice(0, ROWS_MAX).map(
    ({ sign, unit, where, why }, index): Line => ({
      group: effect,
      effect: index === 0 ? effect : "",
      count: index === 0 ? String(count) : "",
      sign,
      unit: printableLine(unit),
      where: printableLine(where),
      why: printableLine(why),
    }),
  );
  const more = rows.slice(ROWS_MAX).reduce((sum, row) => sum + row.count, 0);
  if (more === 0) return shown;
  const rest = `… and ${more} more (--json has all)`;
  return [...shown, { group: effect, effect: "", count: "", sign: " ", unit: rest, where: "", why: "" }];
}

interface Columns {
  readonly unit: number;
  readonly where: number;
  readonly why: number;
}

function fit(terminal: Terminal | null, front: number, { unit, where }: Omit<Columns, "why">): Columns {
  if (terminal === null) return { unit, where, why: Number.POSITIVE_INFINITY };
  const left = terminal.columns - front;
  if (unit + 2 + where <= left) return { unit, where, why: left - unit - 2 - where - 2 };
  const unitCells = Math.min(unit, Math.max(Math.floor(left * UNIT_PART), left - 2 - where));
  return { unit: unitCells, where: Math.min(where, left - 2 - unitCells), why: 0 };
}

/** Red for what goes down, yellow for what is touched, green for what comes; nothing is said by colour alone. */
const COLOURS: Readonly<Record<Effect, number>> = {
  stop: 31,
  move: 33,
  restart: 33,
  reload: 36,
  "daemon-reload": 36,
  start: 32,
  adopt: 32,
  quiet: 2,
};

/** Only our own words: what comes from the repository is never between our escapes. */
function coloured(effect: Effect, text: string, terminal: Terminal | null): string {
  return terminal?.colour !== true || text.trim() === "" ? text : `\u001b[${COLOURS[effect]}m${text}\u001b[0m`;
}
