import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import { placeGroups } from "../placement/place-groups.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { Plan, PlanCounts } from "./plan.ts";

/** The facts of a plan's last line. */
export interface PlanVerdict {
  readonly changes: boolean;
  readonly counts: PlanCounts;
  /** Null where it was too much to find out: above MACHINES_TRIED_MAX machines, or with none. */
  readonly loss: readonly LossOfOne[] | null;
}

/** What stays down while one machine is lost, once everything that may move has moved. Only machines with such units. */
export interface LossOfOne {
  readonly machine: MachineId;
  /** Sorted. A global unit is up as long as another machine runs it. */
  readonly down: readonly UnitName[];
}

/** Each one is a placement of its own, tens of milliseconds with ten thousand units; above this a plan would feel slow. */
const MACHINES_TRIED_MAX = 20;

/** What a plan amounts to, and which units would stay down if any one machine were lost after it. */
export function planVerdict(plan: Plan, spec: ClusterSpec, machines: readonly Machine[]): PlanVerdict {
  const isTried = machines.length > 0 && machines.length <= MACHINES_TRIED_MAX;
  return {
    changes: plan.changes.length > 0,
    counts: plan.counts,
    loss: isTried ? losses(plan, spec, machines) : null,
  };
}

function losses(plan: Plan, spec: ClusterSpec, machines: readonly Machine[]): LossOfOne[] {
  const current = new Map<UnitName, MachineId[]>();
  for (const { unit, machine } of plan.placements) current.set(unit, [...(current.get(unit) ?? []), machine]);
  return plan.machines.flatMap(({ id }) => {
    if (!plan.placements.some((placement) => placement.machine === id)) return [];
    const without = machines.map(
      (machine): Machine => (machine.id === id ? { ...machine, presence: "lost" } : machine),
    );
    const { seats } = placeGroups({ spec, machines: without, current, preferred: new Map() });
    const up = new Set(seats.filter((seat) => seat.machine.presence === "present").flatMap((seat) => seat.atom.units));
    const upNames = new Set([...up].map((unit) => unit.name));
    const held = plan.placements.filter((placement) => placement.machine === id).map((placement) => placement.unit);
    const down = held.filter((unit) => !upNames.has(unit)).sort();
    return down.length === 0 ? [] : [{ machine: id, down }];
  });
}
