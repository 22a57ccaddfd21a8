import type { MachineId, UnitName } from "../../domain/names.ts";
import type { StaysDownReason } from "../../domain/placement/lose-machines.ts";
import type { PlanMachine } from "../../domain/plan/plan.ts";
import type { BrokenBudget, StaysDown, UnitMove, WhatIf } from "../../domain/plan/what-if.ts";
import { describeReject } from "./describe-reason.ts";
import { printable } from "./printable.ts";

/** What losses of machines do: one paragraph each, what stays down first, and a line that a check's log can end with. */
export function whatIfText(whatIfs: readonly WhatIf[], machines: readonly PlanMachine[]): string {
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  const losing = whatIfs.filter(({ down }) => down.length > 0).length;
  const last =
    losing === 0
      ? `survives ${whatIfs.length === 1 ? "it" : `each of ${whatIfs.length} losses`}: everything that is to run runs elsewhere`
      : `does not survive ${whatIfs.length === 1 ? "it" : `${losing} of ${whatIfs.length} losses`}`;
  return printable([...whatIfs.map((whatIf) => oneText(whatIf, names)), last].join("\n\n"));
}

type Names = ReadonlyMap<MachineId, string>;

function oneText({ lost, moves, down, budgets }: WhatIf, names: Names): string {
  const counts = [
    ...(down.length > 0 ? [`${down.length} ${down.length === 1 ? "stays" : "stay"} down`] : []),
    ...(moves.length > 0 ? [`${moves.length} ${moves.length === 1 ? "moves" : "move"}`] : []),
  ];
  const head = `lose ${lost.map((id) => nameOf(id, names)).join(", ")}: ${counts.join(", ") || "nothing changes"}`;
  return [head, ...downLines(down), ...moveLines(moves, names), ...budgets.map(budgetLine)].join("\n");
}

/** Units that stay down for one reason share a line. */
function downLines(down: readonly StaysDown[]): string[] {
  const units = new Map<string, UnitName[]>();
  for (const { unit, because } of down) {
    const text = describeStaysDown(because);
    units.set(text, [...(units.get(text) ?? []), unit]);
  }
  return [...units].map(([because, some]) => `  down   ${named(some)}: ${because}`);
}

function moveLines(moves: readonly UnitMove[], names: Names): string[] {
  const units = new Map<string, UnitName[]>();
  for (const { unit, from, to } of moves) {
    const way = `${nameOf(from, names)} -> ${nameOf(to, names)}`;
    units.set(way, [...(units.get(way) ?? []), unit]);
  }
  return [...units].map(([way, some]) => `  moves  ${named(some)}: ${way}`);
}

function budgetLine({ set, of, maxUnavailable, atOnce, after }: BrokenBudget): string {
  const later = after === atOnce ? "" : `, ${after} once the others have moved`;
  return `  budget ${set}: ${atOnce} of ${of} up at once${later} (maxUnavailable ${maxUnavailable})`;
}

/** Why a unit stays down, as the rest of a sentence. */
export function describeStaysDown(because: StaysDownReason): string {
  switch (because.code) {
    case "data-stays":
      return `its data is there (${because.because})`;
    case "move-never":
      return "it never moves (Move=never)";
    case "replace-no":
      return "it waits for its machine (Replace=no)";
    case "pinned":
      return `only ${because.machine} will do (MachineID=)`;
    case "no-other-machine":
      return "global, and no machine is left that runs it";
    case "nothing-fits":
      if (because.because.length === 0) return "there is no other machine";
      return because.because
        .map(({ reason, count, examples }) => {
          const more = count > examples.length ? ` and ${count - examples.length} more` : "";
          return `${examples.join(", ")}${more}: ${describeReject(reason, count)}`;
        })
        .join("; ");
  }
}

/** How many units one line names before it only counts. */
const UNITS_NAMED_MAX = 8;

function named(units: readonly UnitName[]): string {
  const more = units.length > UNITS_NAMED_MAX ? ` and ${units.length - UNITS_NAMED_MAX} more` : "";
  return `${units.slice(0, UNITS_NAMED_MAX).join(", ")}${more}`;
}

function nameOf(id: MachineId, names: Names): string {
  return names.get(id) ?? id.slice(0, 8);
}
