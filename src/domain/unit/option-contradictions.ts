import type { Diagnostic } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveValue } from "./effective-unit.ts";
import type { FleetOptions } from "./fleet-options.ts";
import { compileGlob } from "./glob.ts";
import { unitNameParts } from "./unit-name.ts";

/**
 * Pairs that ask for two things at once, with why they do. Old fleet's list, without `MachineID=` beside `Conflicts=`: a unit that waits
 * while what it conflicts with is on its machine is a failover by hand (its issue 934). Those that can never run are found with the groups.
 */
const CONTRADICTIONS: readonly (readonly [string, string, string])[] = [
  ["MachineID", "MachineOf", "the machine is already named; put MachineOf= into the other unit, or leave one out"],
  ["MachineID", "Global", "a global unit runs on every eligible machine"],
  ["MachineID", "Replaces", "a unit bound to one machine does not displace others"],
  ["Global", "MachineOf", "a global unit runs on every eligible machine; select them with MachineMetadata="],
  ["Global", "Replaces", "a unit that is everywhere would leave what it replaces nowhere to go"],
  ["Global", "Spread", "a unit that is on every machine has no others to keep apart from"],
  ["Global", "MaxPerMachine", "a global unit is on each machine once; keep others away with Conflicts="],
  ["Conflicts", "Replaces", "one says stay away from those units, the other push them away"],
];

/** What one unit's options ask for at once and cannot have, and those that do nothing. `lastOf`: where an option is written last; null: nowhere. */
export function optionContradictions(
  name: UnitName,
  options: FleetOptions,
  lastOf: (option: string) => EffectiveValue | null,
): readonly Diagnostic[] {
  return [...pairs(options, lastOf), ...mindedPeers(options, lastOf), ...aloneInItsSet(name, lastOf)];
}

type LastOf = Parameters<typeof optionContradictions>[2];

function pairs(options: FleetOptions, lastOf: LastOf): Diagnostic[] {
  const isSet = (option: string) => (option === "Global" ? options.global : lastOf(option) !== null);
  return CONTRADICTIONS.filter(([one, other]) => isSet(one) && isSet(other)).map(([one, other, because]) => ({
    ...contradiction(lastOf(other)!, `${one}= together with ${other}=`),
    next: because,
  }));
}

function mindedPeers({ conflicts, replaces, machineOf }: FleetOptions, lastOf: LastOf): Diagnostic[] {
  const minded = [...conflicts.map((glob) => ["Conflicts", glob]), ...replaces.map((glob) => ["Replaces", glob])];
  return minded.flatMap(([option, glob]) => {
    const peer = machineOf.find((unit) => compileGlob(glob!)?.(unit));
    if (peer === undefined) return [];
    return [contradiction(lastOf(option!)!, `${option}=${glob}, which matches the unit's own MachineOf=${peer}`)];
  });
}

/** Said of a unit that has no others of its kind: nothing follows from it, and its author thinks otherwise. */
function aloneInItsSet(name: UnitName, lastOf: LastOf): Diagnostic[] {
  if (unitNameParts(name).isInstance) return [];
  return ["Spread", "MaxPerMachine"].flatMap((option) => {
    const last = lastOf(option);
    if (last === null) return [];
    const saw = `${option}= in ${name}, of which there is only one`;
    const next = "it is about the instances of a template; keep other units away with Conflicts=";
    return [{ code: "x-fleet-without-effect", severity: "warning", at: last.at, saw, next } as const];
  });
}

function contradiction(at: EffectiveValue, saw: string): Diagnostic {
  return { code: "x-fleet-contradiction", severity: "error", at: at.at, saw };
}
