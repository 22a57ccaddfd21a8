import type { Machine } from "../cluster/machine.ts";
import type { UnitName } from "../names.ts";
import type { Placement, PlacementReason } from "../placement/placement.ts";
import type { ClosedMachine, Staying } from "./engine-report.ts";

/** Named for each reason: who wants to know of all asks for the machine's units. */
const UNITS_MAX = 20;

/**
 * Machines to which nothing new comes by the commit's word, and what is on a drained one in the end: globals, what has its data there, what
 * fits nowhere else. Without being told, somebody would wait for those for ever. Sorted as the machines are.
 */
export function closedMachines(
  machines: readonly Machine[],
  placements: readonly Placement[],
): readonly ClosedMachine[] {
  return machines.flatMap((machine): ClosedMachine[] => {
    if (!machine.admitted) return [{ machine: machine.id, because: "not-admitted", stays: [] }];
    if (machine.drain) return [{ machine: machine.id, because: "drained", stays: staying(machine, placements) }];
    return machine.cordon ? [{ machine: machine.id, because: "cordoned", stays: [] }] : [];
  });
}

function staying({ id }: Machine, placements: readonly Placement[]): readonly Staying[] {
  const reasons = new Map<string, { readonly because: PlacementReason; readonly units: UnitName[] }>();
  for (const { unit, machine, reason } of placements) {
    if (machine !== id) continue;
    const key = JSON.stringify(reason);
    const known = reasons.get(key);
    if (known === undefined) reasons.set(key, { because: reason, units: [unit] });
    else known.units.push(unit);
  }
  return [...reasons.values()].map(({ because, units }) => ({
    because,
    units: units.slice(0, UNITS_MAX),
    more: Math.max(0, units.length - UNITS_MAX),
  }));
}
