import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../src/domain/names.ts";
import type { Change, Plan } from "../src/domain/plan/plan.ts";
import { countsOf } from "../src/domain/plan/plan-changes.ts";
import type { PlanReport } from "../src/domain/plan/plan-report.ts";

/** The id of the machine that is `names[index]` of `pretendReport`. */
export function machineNumber(index: number): MachineId {
  return index.toString(16).padStart(32, "a") as MachineId;
}

/** A change that adds a unit on the first machine, or what is said otherwise. */
export function pretendChange(
  unit: string,
  { on = 0, ...other }: Partial<Change> & { readonly on?: number } = {},
): Change {
  return {
    action: "add",
    effect: "start",
    unit: unit as UnitName,
    from: null,
    to: { machine: machineNumber(on), hash: "h" as UnitHash, goal: "launched" },
    reason: { code: "new-unit", placed: { code: "only-fit" } },
    ...other,
  };
}

/** A report of a plan with these changes and nothing else to say, for views: its ids are no hashes of it. */
export function pretendReport(changes: readonly Change[], names: readonly string[] = ["m1"]): PlanReport {
  const plan: Plan = {
    format_version: "1.0",
    rules: 2,
    cluster: "prod",
    clusterId: null,
    commit: "c".repeat(40) as CommitId,
    specHash: "5".repeat(64) as SpecHash,
    base: { releaseSeq: 0, releaseCommit: null, basis: "" },
    machines: names.map((name, index) => ({ id: machineNumber(index), name, present: true, metadata: {} })),
    changes,
    placements: [],
    unplaced: [],
    waves: [],
    refusals: [],
    counts: { ...countsOf(changes, { placements: [], unplaced: [] }, 1), unchanged: 0 },
    unknown: [],
    partial: null,
    contentId: "d".repeat(64),
    planId: "e".repeat(64),
  };
  return { plan, revision: 7, verdict: null, whatIf: [], drift: [], broken: [], newlyUnplaceable: [], trials: [] };
}
