import { compareText, type MachineId } from "../../domain/names.ts";
import { type Change, type ChangeAction, EFFECTS, type Effect, type Plan } from "../../domain/plan/plan.ts";
import { describeChange } from "./describe-reason.ts";

/** What a change does to the placement, readable without colour. */
export const SIGNS: Readonly<Record<ChangeAction, string>> = {
  remove: "-",
  move: ">",
  change: "~",
  add: "+",
  adopt: "=",
};

/** The changes of one effect. */
export interface ChangeGroup {
  readonly effect: Effect;
  /** Units × machines. */
  readonly count: number;
  readonly rows: readonly ChangeRow[];
}

export interface ChangeRow {
  readonly sign: string;
  readonly unit: string;
  readonly where: string;
  readonly why: string;
}

/** A global unit on more machines than this is told by how many they are. */
const MACHINES_NAMED_MAX = 4;

/** A plan's changes as people read them: by effect, worst first, and what happens to one unit on several machines for one reason in one row. */
export function changeGroups({ changes, machines }: Pick<Plan, "changes" | "machines">): ChangeGroup[] {
  const names = new Map(machines.map((machine) => [machine.id, machine.name]));
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  return EFFECTS.flatMap((effect) => {
    const some = changes.filter((change) => change.effect === effect);
    return some.length === 0 ? [] : [{ effect, count: some.length, rows: rowsOf(some, nameOf, names) }];
  });
}

function rowsOf(
  changes: readonly Change[],
  nameOf: (machine: MachineId) => string,
  names: ReadonlyMap<MachineId, string>,
): ChangeRow[] {
  const folded = new Map<string, { row: Omit<ChangeRow, "where">; places: string[] }>();
  for (const change of changes) {
    const row = { sign: SIGNS[change.action], unit: change.unit, why: describeChange(change, names) };
    const key = JSON.stringify(row);
    const known = folded.get(key);
    if (known === undefined) folded.set(key, { row, places: [placeOf(change, nameOf)] });
    else known.places.push(placeOf(change, nameOf));
  }
  return [...folded.values()].map(({ row, places }) => ({ ...row, where: placesText(places.sort(compareText)) }));
}

function placeOf({ from, to }: Change, nameOf: (machine: MachineId) => string): string {
  const [was, is] = [from?.machine ?? null, to?.machine ?? null];
  if (was !== null && is !== null && was !== is) return `${nameOf(was)} -> ${nameOf(is)}`;
  return nameOf((is ?? was)!);
}

function placesText(places: readonly string[]): string {
  if (places.length <= MACHINES_NAMED_MAX) return places.join(", ");
  return `${places.slice(0, MACHINES_NAMED_MAX - 1).join(", ")}, … (${places.length})`;
}
