import type { Machine } from "../cluster/machine.ts";
import { awaitsMachine } from "../loss/may-be-replaced.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { ClusterSpec, Group } from "../spec/cluster-spec.ts";
import type { Plan, PlanCounts } from "./plan.ts";
import { type BrokenBudget, type StaysDown, WhatIfs } from "./what-if.ts";

/** The facts of a plan's last line. */
export interface PlanVerdict {
  readonly changes: boolean;
  readonly counts: PlanCounts;
  /**
   * Machines of which the loss leaves something down or breaks a budget, in the machines' order. Null where nobody asked: there is no
   * machine, or it would be too much to find out (`COSTLY_MAX`).
   */
  readonly loss: readonly LossOfOne[] | null;
  /** Null where the plan is one of losses already. */
  readonly partition: InPartition | null;
}

/** What becomes of the units of this plan when a machine is cut off and the others take it for lost. */
export interface InPartition {
  /** Stopped there before they start elsewhere (`OnDisconnect=stop-after`). Sorted. */
  readonly atMostOnce: readonly UnitName[];
  /** Units that go on there and start elsewhere as well, until the connection is back: those that run on one machine and may move. */
  readonly mayRunTwice: number;
}

/** What the loss of one machine means, once everything that may move has moved. */
export interface LossOfOne {
  readonly machine: MachineId;
  /** Sorted. A global unit is up as long as another machine runs it. */
  readonly down: readonly StaysDown[];
  /** Units that go to another machine. */
  readonly moves: number;
  readonly budgets: readonly BrokenBudget[];
}

/**
 * A machine with a group to move that has `Replaces=` is a placement of its own, tens of milliseconds with ten thousand units; with more
 * of these a plan would feel slow. The loss of any other machine costs a fraction of a millisecond.
 */
const COSTLY_MAX = 20;

/** What a plan amounts to, and what the loss of any one machine after it would mean. */
export function planVerdict(plan: Plan, spec: ClusterSpec, machines: readonly Machine[]): PlanVerdict {
  return {
    changes: plan.changes.length > 0,
    counts: plan.counts,
    loss: losses(plan, spec, machines),
    partition: inPartition(plan, spec),
  };
}

function inPartition({ placements }: Plan, { units, groups }: ClusterSpec): InPartition {
  const placed = new Set(placements.filter(({ goal }) => goal === "launched").map(({ unit }) => unit));
  const awaiting = new Set(units.filter((unit) => awaitsMachine([unit])).map(({ group }) => group));
  const moves = ({ name, move, global }: Group) => move === "auto" && !global && !awaiting.has(name);
  const moving = new Set(groups.filter(moves).map(({ name }) => name));
  const here = units.filter(({ name }) => placed.has(name));
  return {
    atMostOnce: here.filter(({ stopAfterMs }) => stopAfterMs !== undefined).map(({ name }) => name),
    mayRunTwice: here.filter(({ group, stopAfterMs }) => stopAfterMs === undefined && moving.has(group)).length,
  };
}

function losses(plan: Plan, spec: ClusterSpec, machines: readonly Machine[]): readonly LossOfOne[] | null {
  if (machines.length === 0) return null;
  const whatIfs = new WhatIfs(spec, machines, plan.placements);
  if (machines.filter(({ id }) => whatIfs.isCostly([id])).length > COSTLY_MAX) return null;
  return plan.machines.flatMap(({ id }) => {
    const { down, moves, budgets } = whatIfs.lose([id]);
    return down.length + budgets.length === 0 ? [] : [{ machine: id, down, moves: moves.length, budgets }];
  });
}
