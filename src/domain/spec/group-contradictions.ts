import type { Selector } from "../cluster/selector.ts";
import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compareText, parseMachineId, type UnitName } from "../names.ts";
import { closestName } from "../unit/closest-name.ts";
import { compileGlob } from "../unit/glob.ts";
import type { SpecMachine } from "./cluster-spec.ts";
import type { DraftUnit } from "./draft-unit.ts";
import type { DraftGroup } from "./group-units.ts";

/** What no placement could ever satisfy, said before one is tried. */
export function groupContradictions(
  groups: readonly DraftGroup[],
  machines: readonly SpecMachine[],
  admit: "listed" | "any",
): readonly Diagnostic[] {
  return [
    ...groups.flatMap((group) => [
      ...globalMix(group),
      ...twoMachines(group, machines),
      ...noCommonMetadata(group),
      ...minding(group),
    ]),
    ...(admit === "listed" ? groups.flatMap((group) => unknownMachines(group, machines)) : []),
    ...circularReplaces(groups),
  ];
}

function globalMix({ group, units }: DraftGroup): readonly Diagnostic[] {
  if (group.global) return [];
  return units
    .filter((unit) => unit.options.global)
    .map((unit) => {
      const single = units.find((other) => !other.options.global)!;
      const tie = group.ties.find((one) => one.from === unit.name || one.to === unit.name);
      const why = tie === undefined ? "" : ` (${tie.from} says ${tie.by}${tie.to})`;
      const saw = `${unit.name}, which runs on every machine, tied to ${single.name}, which runs on one${why}`;
      const next = "make both Global=true, or write Group=none into the one that requires the other";
      return error("group-global-mix", optionAt(unit, "Global"), saw, next);
    });
}

function twoMachines({ units }: DraftGroup, machines: readonly SpecMachine[]): readonly Diagnostic[] {
  const [first, ...others] = units.filter((unit) => unit.options.machineId !== null);
  if (first === undefined) return [];
  const wanted = sameMachine(first.options.machineId!, machines);
  return others
    .filter((unit) => sameMachine(unit.options.machineId!, machines) !== wanted)
    .map((unit) => {
      const saw = `MachineID=${unit.options.machineId} in ${unit.name}, which is tied to ${first.name} with MachineID=${first.options.machineId}`;
      return error("group-two-machines", optionAt(unit, "MachineID"), saw, "name one machine for both");
    });
}

/** A name and the id listed under it mean one machine. */
function sameMachine(nameOrId: string, machines: readonly SpecMachine[]): string {
  return machines.find((machine) => machine.id === nameOrId)?.key ?? nameOrId;
}

/**
 * Values of one key are alternatives; across the group's units all must hold, so some value must be in every list and none of those that
 * are ruled out.
 */
function noCommonMetadata({ units }: DraftGroup): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const heldByKey = new Map<string, { readonly selector: MetadataSelector; readonly by: DraftUnit }[]>();
  for (const unit of units) {
    for (const selector of unit.options.machineMetadata) {
      if (selector.kind !== "metadata") continue;
      const before = heldByKey.get(selector.key) ?? [];
      if (canHold([...before.map((one) => one.selector), selector])) {
        heldByKey.set(selector.key, [...before, { selector, by: unit }]);
        continue;
      }
      const other = before.find((one) => !canHold([one.selector, selector]));
      const by = other?.by ?? before[0]!.by;
      const held = (other === undefined ? before : [other]).map((one) => shown(one.selector)).join(" and ");
      const saw =
        by === unit
          ? `${shown(selector)} beside ${held} in ${unit.name}`
          : `${shown(selector)} for ${unit.name}, which is tied to ${by.name} with ${held}`;
      problems.push(error("group-metadata", optionAt(unit, "MachineMetadata"), saw, "no machine can be both"));
    }
  }
  return problems;
}

type MetadataSelector = Extract<Selector, { readonly kind: "metadata" }>;

function shown({ key, values, not }: MetadataSelector): string {
  return `${key}${not ? "!=" : "="}${values.join("|")}`;
}

/** Whether some machine may match them all; they are of one key. */
function canHold(selectors: readonly MetadataSelector[]): boolean {
  const [first, ...others] = selectors.filter(({ not }) => not !== true);
  if (first === undefined) return true;
  const ruledOut = new Set(selectors.filter(({ not }) => not === true).flatMap(({ values }) => values));
  return first.values.some((value) => !ruledOut.has(value) && others.every(({ values }) => values.includes(value)));
}
function minding({ units }: DraftGroup): readonly Diagnostic[] {
  return units.flatMap((unit) =>
    (["Conflicts", "Replaces"] as const).flatMap((option) => {
      const patterns = option === "Conflicts" ? unit.options.conflicts : unit.options.replaces;
      return patterns.flatMap((pattern) => {
        const matches = compileGlob(pattern);
        const other = units.find((one) => one.name !== unit.name && matches?.(one.name));
        if (other === undefined) return [];
        const saw = `${option}=${pattern} in ${unit.name}, which matches ${other.name} of its own group`;
        const next = "they must share a machine and may not; change the pattern or the dependency";
        return [error("group-conflict", optionAt(unit, option), saw, next)];
      });
    }),
  );
}

function unknownMachines({ units }: DraftGroup, machines: readonly SpecMachine[]): readonly Diagnostic[] {
  const named = machines.filter((machine) => machine.match === null);
  const known = new Set(named.flatMap((machine) => [machine.key, ...(machine.id === null ? [] : [machine.id])]));
  // A machine listed without its id may have any id.
  const idsAreKnown = named.every((machine) => machine.id !== null);
  return units.flatMap((unit) => {
    const wanted = unit.options.machineId;
    if (wanted === null || known.has(wanted) || (!idsAreKnown && parseMachineId(wanted) !== null)) return [];
    const meant = closestName(wanted, known);
    const saw = `MachineID=${wanted} in ${unit.name}, while the manifest admits only the machines it lists`;
    const next = meant === null ? "list the machine under machines:, or say admit: any" : `did you mean ${meant}?`;
    return [error("machine-unknown", optionAt(unit, "MachineID"), saw, next)];
  });
}

/** Groups that push each other away in a circle would move forever. */
function circularReplaces(groups: readonly DraftGroup[]): readonly Diagnostic[] {
  const groupOf = new Map(groups.flatMap(({ units }, index) => units.map((unit) => [unit.name, index] as const)));
  const names = [...groupOf.keys()].sort(compareText);
  const matching = new Map<string, readonly UnitName[]>();
  const replaced = (pattern: string): readonly UnitName[] => {
    const known = matching.get(pattern);
    if (known !== undefined) return known;
    const matches = compileGlob(pattern);
    const found = matches === null ? [] : names.filter(matches);
    matching.set(pattern, found);
    return found;
  };
  const edges = new Map<number, Map<number, { by: DraftUnit; replaces: UnitName }>>();
  for (const [index, { units }] of groups.entries()) {
    for (const by of units) {
      for (const replaces of by.options.replaces.flatMap(replaced)) {
        const other = groupOf.get(replaces)!;
        if (other === index) continue;
        const known = edges.get(index) ?? new Map();
        if (!known.has(other)) known.set(other, { by, replaces });
        edges.set(index, known);
      }
    }
  }
  return [...edges.keys()].flatMap((start) => {
    const circle = shortestCircle(start, edges);
    // Each circle is told once, by its first group.
    if (circle === null || circle.some((index) => index < start)) return [];
    const { by } = edges.get(start)!.get(circle[1] ?? start)!;
    const shown = [...circle, start].map((index) => groups[index]!.group.name).join(" replaces ");
    return [error("replaces-circle", optionAt(by, "Replaces"), `a circle of Replaces=: ${shown}`, "drop one of them")];
  });
}

/** Breadth first from `start` back to it; null where no way leads back. */
function shortestCircle(
  start: number,
  edges: ReadonlyMap<number, ReadonlyMap<number, unknown>>,
): readonly number[] | null {
  const cameFrom = new Map<number, number>();
  const queue = [start];
  for (let head = 0; head < queue.length; head += 1) {
    const at = queue[head]!;
    for (const next of edges.get(at)?.keys() ?? []) {
      if (next === start) {
        const circle = [at];
        while (circle[0] !== start) circle.unshift(cameFrom.get(circle[0]!)!);
        return circle;
      }
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return null;
}

function optionAt(unit: DraftUnit, option: string): SourceLocation {
  return (
    unit.effective.last("X-Fleet", option)?.at ?? unit.effective.sectionAt("X-Fleet") ?? { path: unit.fragment.path }
  );
}

function error(code: string, at: SourceLocation, saw: string, next: string): Diagnostic {
  return { code, severity: "error", at, saw, next };
}
