import type { Machine } from "../cluster/machine.ts";
import { compareText, type MachineId, type UnitName } from "../names.ts";
import { explainSeats } from "../placement/explain-seats.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import type { Deviation } from "./engine-report.ts";

/** Units that are elsewhere than the release's plan said, and why they are not where it said; sorted by unit. Global units have no one place. */
export function deviationsOf(
  spec: ClusterSpec,
  machines: readonly Machine[],
  placements: readonly Placement[],
  planned: ReadonlyMap<UnitName, MachineId>,
): Omit<Deviation, "since">[] {
  const units = unitsByName(spec.units);
  const elsewhere = placements.filter(({ unit, machine }) => {
    const said = planned.get(unit);
    return said !== undefined && said !== machine && units.get(unit)?.options.global === false;
  });
  if (elsewhere.length === 0) return [];
  const seats = explainSeats(spec, machines, placements);
  const members = new Set(machines.map(({ id }) => id));
  const because = (unit: UnitName, machine: MachineId): Deviation["because"] => {
    if (!members.has(machine)) return { code: "no-member" };
    return seats.rejectOn(units.get(unit)!.group, machine) ?? { code: "stays" };
  };
  return elsewhere
    .map(({ unit, machine }) => {
      const there = planned.get(unit)!;
      return { unit, planned: there, actual: machine, because: because(unit, there) };
    })
    .sort((a, b) => compareText(a.unit, b.unit));
}
