import type { ClusterSnapshot } from "../../domain/cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../../domain/names.ts";
import type { Unplaced } from "../../domain/placement/placement.ts";
import type { Change, ChangeAction, Plan } from "../../domain/plan/plan.ts";
import type { PlanVerdict } from "../../domain/plan/plan-verdict.ts";
import { describeChange, describeReject } from "./describe-reason.ts";
import { printable } from "./printable.ts";
import { table } from "./table.ts";

const SIGNS: Readonly<Record<ChangeAction, string>> = {
  remove: "-",
  move: ">",
  change: "~",
  add: "+",
  adopt: "=",
};

/** The plan for people. One line where nothing changes; else every change with its machine and why, worst first. */
export function planText(plan: Plan, snapshot: ClusterSnapshot | null, verdict: PlanVerdict | null = null): string {
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  const revision = snapshot === null || snapshot.revision === 0 ? "" : ` (registry ${snapshot.revision})`;
  if (plan.changes.length === 0 && plan.unplaced.length === 0 && plan.unknown.length === 0) {
    const units = plan.counts.unchanged;
    const where = `${counted(units, "unit")} on ${counted(plan.machines.length, "machine")}`;
    const away = awayNames(snapshot, names);
    const missing = away.length === 0 ? "" : `; away: ${away.join(", ")}`;
    return printable(`${plan.cluster}: no changes. ${where} match ${plan.commit.slice(0, 7)}${revision}${missing}.`);
  }
  const parts = [
    headText(plan, revision),
    changesText(plan, names),
    unknownText(plan),
    unplacedText(plan.unplaced),
    awayText(snapshot, names),
    plan.changes.length === 0 ? "" : waveText(plan, names),
    [countsText(plan), lossText(verdict, names)].filter((line) => line !== "").join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function headText(plan: Plan, revision: string): string {
  const was = plan.base.releaseCommit === null ? "no release yet" : `was ${plan.base.releaseCommit.slice(0, 7)}`;
  const partial = plan.partial === null ? "" : `  a view of ${plan.partial}: cannot be applied`;
  return printable(
    `${plan.cluster}  commit ${plan.commit.slice(0, 7)}  ${was}  ${counted(plan.machines.length, "machine")}${revision}${partial}`,
  );
}

function changesText(plan: Plan, names: ReadonlyMap<MachineId, string>): string {
  if (plan.changes.length === 0) return "";
  // The plan's order, but a unit's machines by name: the plan has them by id, which says nothing to people.
  const unitOrder = new Map<string, number>();
  for (const { effect, unit } of plan.changes) {
    const key = `${effect} ${unit}`;
    if (!unitOrder.has(key)) unitOrder.set(key, unitOrder.size);
  }
  const rows = plan.changes
    .map((change) => ({
      order: unitOrder.get(`${change.effect} ${change.unit}`) ?? 0,
      where: whereText(change, names),
      change,
    }))
    .sort((a, b) => a.order - b.order || compareText(a.where, b.where))
    .map(({ where, change }) => [
      SIGNS[change.action],
      change.effect,
      change.unit,
      where,
      describeChange(change, names),
    ]);
  return table(null, rows);
}

function whereText({ from, to }: Change, names: ReadonlyMap<MachineId, string>): string {
  const name = (machine: MachineId) => names.get(machine) ?? machine.slice(0, 8);
  if (from !== null && to !== null && from.machine !== to.machine)
    return `${name(from.machine)} -> ${name(to.machine)}`;
  const side = to ?? from;
  return side === null ? "" : name(side.machine);
}

/** With no machines nothing can be placed yet: what would run, and the one step that is missing. */
function unknownText(plan: Plan): string {
  if (plan.unknown.length === 0) return "";
  const rows = plan.unknown.map((unit) => ["+", unit]);
  return `${table(null, rows)}\n\nno cluster yet: ${counted(plan.unknown.length, "unit")}, 0 machines. Which machine runs what is known once one has joined;\ntry it on this machine: fleet lab up --machines 3`;
}

function unplacedText(unplaced: readonly Unplaced[]): string {
  return unplaced
    .map(({ units, kind, because }) => {
      const lines = because.map(
        ({ reason, count, examples }) =>
          `    ${describeReject(reason)}: ${counted(count, "machine")} (${examples.join(", ")}${count > examples.length ? ", …" : ""})`,
      );
      const word = kind === "waiting" ? "waits for a machine that is away" : "fits on no machine";
      return [`! ${units.join(", ")} ${word}`, ...lines].map(printable).join("\n");
    })
    .join("\n");
}

/** Units of a machine that is away stay its own until the engine finds it lost; a plan does not foresee that. */
function awayText(snapshot: ClusterSnapshot | null, names: ReadonlyMap<MachineId, string>): string {
  const away = awayNames(snapshot, names);
  return away.length === 0 ? "" : printable(`away: ${away.join(", ")}; this plan leaves there what is there`);
}

function awayNames(snapshot: ClusterSnapshot | null, names: ReadonlyMap<MachineId, string>): string[] {
  const away = (snapshot?.members ?? []).filter((member) => !member.present);
  return away.map(({ id, name }) => names.get(id) ?? name).sort();
}

/** Until waves are driven, a release is one wave, and the plan says so. */
function waveText(plan: Plan, names: ReadonlyMap<MachineId, string>): string {
  const machines = new Set(
    plan.changes.flatMap((change) => [change.to?.machine ?? change.from?.machine].filter((id) => id !== undefined)),
  );
  const where = [...machines].map((id) => names.get(id) ?? id.slice(0, 8)).sort();
  const what = plan.changes.length === 1 ? "one change" : `all ${plan.changes.length} changes at once`;
  return printable(`one wave: ${what}, on ${where.join(", ")}`);
}

/** How many units one line names before it only counts. */
const UNITS_NAMED_MAX = 3;

/** What the loss of any one machine would leave down; nothing where that is not known. */
function lossText(verdict: PlanVerdict | null, names: ReadonlyMap<MachineId, string>): string {
  if (verdict === null || verdict.loss === null) return "";
  const losing = verdict.loss.filter(({ down }) => down.length > 0);
  if (losing.length === 0) return "lose any one machine: every unit runs elsewhere";
  return losing
    .map(({ machine, down }) => {
      const named = down
        .slice(0, UNITS_NAMED_MAX)
        .map(({ unit }) => unit)
        .join(", ");
      const more = down.length > UNITS_NAMED_MAX ? ", …" : "";
      const stay = `${counted(down.length, "unit")} ${down.length === 1 ? "stays" : "stay"}`;
      return `lose ${names.get(machine) ?? machine.slice(0, 8)}: ${stay} down (${named}${more})`;
    })
    .join("\n");
}

function countsText({ counts }: Plan): string {
  const parts = [
    [counts.actions.add, "to add"],
    [counts.actions.change, "to change"],
    [counts.actions.move, "to move"],
    [counts.actions.remove, "to remove"],
    [counts.actions.adopt, "to adopt"],
    [counts.unchanged, "unchanged"],
    [counts.unplaced, "not placed"],
  ] as const;
  return parts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(", ");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
