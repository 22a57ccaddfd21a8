import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import { compileGlob } from "../unit/glob.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { SpecMachine } from "./cluster-spec.ts";
import type { DraftUnit } from "./draft-unit.ts";
import type { DraftGroup } from "./group-units.ts";

/**
 * Units that must share a machine and may not: bound to one by `MachineID=`, tied in one group, or more replicas than there are machines
 * for them. No machine that joins could help. Units nobody wants to run (`state: inactive`) are in nobody's way.
 */
export function replicaContradictions(
  groups: readonly DraftGroup[],
  machines: readonly SpecMachine[],
  admit: "listed" | "any",
): readonly Diagnostic[] {
  const wanted = groups
    .map((group) => group.units.filter((unit) => unit.settings.state?.value !== "inactive"))
    .filter((units) => units.length > 0);
  const bound = [...boundTogether(wanted, machines)];
  const listed = machines.filter((machine) => machine.match === null).length;
  // One replica's word counts for all of its set, wherever that one is to go itself.
  const words = Map.groupBy(wanted.flat().filter(keepsApart), ({ name }) => replicaSetOf(name));
  const crowds = (units: readonly DraftUnit[], places: Places) => crowdsOf(units, words, places);
  return [
    ...bound.flatMap(([machine, units]) => [
      ...mindingUnits(units, machine),
      ...crowds(units, {
        count: 1,
        because: `MachineID= binds to ${machine}`,
        next: "bind them to different machines",
      }),
    ]),
    ...wanted.flatMap((units) =>
      crowds(units, { count: 1, because: "are tied to each other", next: "untie them, or let them share a machine" }),
    ),
    ...(admit === "listed" ? crowds(wanted.flat(), { count: listed, ...listedAre(listed) }) : []),
  ];
}

function listedAre(count: number): Omit<Places, "count"> {
  const because = `are wanted, while the manifest admits only the ${count === 1 ? "machine" : `${count} machines`} it lists`;
  return { because, next: "list more machines, want fewer of them, or let them share" };
}

/** Units by the machine that their groups are bound to, under the name the manifest has for it; only machines with several groups. */
function boundTogether(
  groups: readonly (readonly DraftUnit[])[],
  machines: readonly SpecMachine[],
): ReadonlyMap<string, readonly DraftUnit[]> {
  const keys = new Map(machines.flatMap(({ id, key }) => (id === null ? [] : [[id as string, key] as const])));
  const bound = new Map<string, DraftUnit[][]>();
  for (const units of groups) {
    const wanted = units.find((unit) => unit.options.machineId !== null)?.options.machineId;
    if (wanted === undefined || wanted === null) continue;
    const machine = keys.get(wanted) ?? wanted;
    bound.set(machine, [...(bound.get(machine) ?? []), [...units]]);
  }
  return new Map([...bound].filter(([, list]) => list.length > 1).map(([machine, list]) => [machine, list.flat()]));
}

/** Those of one group that mind each other are told as such. */
function mindingUnits(units: readonly DraftUnit[], machine: string): readonly Diagnostic[] {
  return units.flatMap((unit) =>
    unit.options.conflicts.flatMap((pattern) => {
      const matches = compileGlob(pattern);
      const other = units.find((one) => one.name !== unit.name && matches?.(one.name));
      if (other === undefined) return [];
      const saw = `Conflicts=${pattern} in ${unit.name}, which matches ${other.name}, while MachineID= binds both to ${machine}`;
      const next = "bind one of them to another machine, or say state: inactive of the one that waits";
      return [error("conflict-bound", optionAt(unit, "Conflicts"), saw, next)];
    }),
  );
}

/** How many machines there are for some units at most, why, and what would help. */
interface Places {
  readonly count: number;
  readonly because: string;
  readonly next: string;
}

function crowdsOf(units: readonly DraftUnit[], words: SetWords, places: Places): readonly Diagnostic[] {
  // Of twenty thousand units most are alone in their group, and say nothing of others.
  if (units.length <= places.count || words.size === 0) return [];
  const sets = Map.groupBy(units, (unit) => replicaSetOf(unit.name));
  return [...sets].flatMap(([set, replicas]) => {
    const said = words.get(set) ?? [];
    return [...tooMany(replicas.length, said, places), ...tooClose(replicas.length, said, places)];
  });
}

/** By set of replicas, those that say how it is kept apart. */
type SetWords = ReadonlyMap<string, readonly DraftUnit[]>;

function keepsApart({ options }: DraftUnit): boolean {
  return options.maxPerMachine !== undefined || options.spread?.hard === true;
}

/** Of several limits the smallest counts. */
function tooMany(
  replicas: number,
  said: readonly DraftUnit[],
  { count, because, next }: Places,
): readonly Diagnostic[] {
  const limited = said.filter(({ options }) => options.maxPerMachine !== undefined);
  const limit = Math.min(...limited.map(({ options }) => options.maxPerMachine!));
  if (limited.length === 0 || replicas <= limit * count) return [];
  const unit = limited.find(({ options }) => options.maxPerMachine === limit)!;
  const saw = `MaxPerMachine=${limit} in ${replicaSetOf(unit.name)}, of which ${replicas} ${because}`;
  return [error("replicas-too-many", optionAt(unit, "MaxPerMachine"), saw, next)];
}

/** Machines of one value are one place, so there are no more values than machines. */
function tooClose(
  replicas: number,
  said: readonly DraftUnit[],
  { count, because, next }: Places,
): readonly Diagnostic[] {
  if (replicas <= count) return [];
  const firstOfKey = new Map<string, DraftUnit>();
  for (const unit of said) {
    const { spread } = unit.options;
    if (spread?.hard === true && !firstOfKey.has(spread.key)) firstOfKey.set(spread.key, unit);
  }
  return [...firstOfKey].map(([key, unit]) => {
    const saw = `Spread=${key} hard in ${replicaSetOf(unit.name)}, of which ${replicas} ${because}`;
    return error("replicas-too-many", optionAt(unit, "Spread"), saw, next);
  });
}

function optionAt(unit: DraftUnit, option: string): SourceLocation {
  return unit.effective.last("X-Fleet", option)?.at ?? { path: unit.fragment.path };
}

function error(code: string, at: SourceLocation, saw: string, next: string): Diagnostic {
  return { code, severity: "error", at, saw, next };
}
