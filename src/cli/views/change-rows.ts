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
  /** A unit's name, or `web@{1,2}.service` for instances of one template. */
  readonly unit: string;
  /** The machines; of instances one each, in their order, unless all are on one. */
  readonly where: string;
  readonly why: string;
  /** How many changes the row stands for. */
  readonly count: number;
}

/** Machines and instances of a row named before the rest is counted. */
const NAMED_MAX = 4;

/**
 * A plan's changes as people read them: by effect, worst first; what happens for one reason to one unit on several machines, or to several
 * instances of one template, in one row.
 */
export function changeGroups({ changes, machines }: Pick<Plan, "changes" | "machines">): ChangeGroup[] {
  const names = new Map(machines.map((machine) => [machine.id, machine.name]));
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  return groupsOf(
    changes.map((change) => ({
      effect: change.effect,
      sign: SIGNS[change.action],
      why: describeChange(change, names),
      unit: change.unit,
      place: placeOf(change, nameOf),
    })),
  );
}

/** A change in words. */
export interface ToldChange {
  readonly effect: Effect;
  readonly sign: string;
  readonly why: string;
  readonly unit: string;
  /** Empty: on no machine in particular. */
  readonly place: string;
}

/** The same of changes that are put into words already. */
export function groupsOf(changes: readonly ToldChange[]): ChangeGroup[] {
  return EFFECTS.flatMap((effect) => {
    const some = changes.filter((change) => change.effect === effect);
    if (some.length === 0) return [];
    return [{ effect, count: some.length, rows: foldInstances(foldMachines(some)).map(rowOf) }];
  });
}

/** One unit for one reason, or several instances. */
interface Folded {
  readonly sign: string;
  readonly why: string;
  readonly units: readonly string[];
  /** Of one unit all its places, sorted; of several one each. */
  readonly places: readonly string[];
}

function foldMachines(changes: readonly ToldChange[]): Folded[] {
  const same = groupBy(changes, ({ sign, why, unit }) => [sign, why, unit]);
  return same.map((all) => {
    const { sign, why, unit } = all[0]!;
    return { sign, why, units: [unit], places: all.map(({ place }) => place).sort(compareText) };
  });
}

/** Instances of global templates keep a row each: places could not be told apart. */
function foldInstances(rows: readonly Folded[]): Folded[] {
  const same = groupBy(rows, ({ sign, why, units, places }) => {
    const template = places.length === 1 ? templateOf(units[0]!) : null;
    return template === null ? [sign, why, units[0]!] : [sign, why, template];
  });
  return same.map((all) => {
    const sorted = all.length === 1 ? all : all.toSorted((a, b) => compareInstances(a.units[0]!, b.units[0]!));
    return {
      ...sorted[0]!,
      units: sorted.flatMap(({ units }) => units),
      places: sorted.flatMap(({ places }) => places),
    };
  });
}

function rowOf({ sign, why, units, places }: Folded): ChangeRow {
  const unit = units.length === 1 ? units[0]! : bracesText(units);
  return { sign, unit, where: placesText(places, units.length > 1), why, count: places.length };
}

/** In the order they first come. */
function groupBy<T>(all: readonly T[], keyOf: (one: T) => readonly string[]): (readonly T[])[] {
  return [...Map.groupBy(all, (one) => JSON.stringify(keyOf(one))).values()];
}

const INSTANCE = /^([^@]+@)(.+)(\.[^.]+)$/;

function templateOf(unit: string): string | null {
  const match = INSTANCE.exec(unit);
  return match === null ? null : `${match[1]}${match[3]}`;
}

function instanceOf(unit: string): string {
  return INSTANCE.exec(unit)![2]!;
}

/** 2 before 10. */
function compareInstances(a: string, b: string): number {
  const [one, other] = [instanceOf(a), instanceOf(b)];
  const areNumbers = /^\d+$/.test(one) && /^\d+$/.test(other);
  return (areNumbers ? Number(one) - Number(other) : 0) || compareText(one, other);
}

/** As a shell would take them apart. */
function bracesText(units: readonly string[]): string {
  const [, prefix, , suffix] = INSTANCE.exec(units[0]!)!;
  const some = units.map(instanceOf).slice(0, units.length > NAMED_MAX ? NAMED_MAX - 1 : NAMED_MAX);
  return `${prefix}{${[...some, ...(units.length > NAMED_MAX ? ["…"] : [])].join(",")}}${suffix}`;
}

function placeOf({ from, to }: Change, nameOf: (machine: MachineId) => string): string {
  const [was, is] = [from?.machine ?? null, to?.machine ?? null];
  if (was !== null && is !== null && was !== is) return `${nameOf(was)} -> ${nameOf(is)}`;
  return nameOf((is ?? was)!);
}

function placesText(places: readonly string[], isOneEach: boolean): string {
  if (places.every((place) => place === "")) return "";
  if (isOneEach && new Set(places).size === 1)
    return places.length <= NAMED_MAX ? places[0]! : `${places[0]} (${places.length})`;
  if (places.length <= NAMED_MAX) return places.join(", ");
  return `${places.slice(0, NAMED_MAX - 1).join(", ")}, … (${places.length})`;
}
