import type { Sha256, UnitName } from "../names.ts";
import { compileGlob } from "../unit/glob.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { Plan } from "./plan.ts";
import { contentIdOf, countsOf, planIdOf } from "./plan-changes.ts";

/** Which units a view shows: those that match one of `only` (or all), without those that match one of `exclude`. Globs of unit names. */
export interface PlanSelection {
  readonly only: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * The part of a plan that concerns some units. It cannot be applied: the cluster converges to a commit, not to a part of it. What is
 * shown is decided by the whole plan, so a unit that moves because of another one moves here too.
 */
export function viewOfPlan(plan: Plan, selection: PlanSelection, sha256: Sha256): Plan {
  const shows = selects(selection);
  const changes = plan.changes.filter((change) => shows(change.unit));
  const placements = plan.placements.filter((placement) => shows(placement.unit));
  const unplaced = plan.unplaced.filter((group) => group.units.some(shows));
  const sets = new Set(changes.map((change) => replicaSetOf(change.unit)));
  // A wave of which nothing is shown stays, so that the others keep their numbers.
  const waves = plan.waves.map((wave) => ({
    ...wave,
    changes: wave.changes.filter((change) => shows(change.unit)),
    budgets: wave.budgets.filter((budget) => sets.has(budget.set)),
  }));
  const document: Omit<Plan, "planId"> = {
    ...plan,
    changes,
    placements,
    unplaced,
    waves,
    refusals: plan.refusals.filter((refusal) => sets.has(refusal.set)),
    // Files are not told apart by unit: one template's serves many.
    counts: countsOf(changes, { placements, unplaced }, null),
    unknown: plan.unknown.filter(shows),
    partial: [...(plan.partial === null ? [] : [plan.partial]), nameOf(selection)].join(", "),
    contentId: contentIdOf({ specHash: plan.specHash, changes, placements }, sha256),
  };
  return { ...document, planId: planIdOf(document, sha256) };
}

/** The patterns that match no unit at all, or are malformed: a typing error must not look like "no changes". */
export function patternsWithoutUnits({ only, exclude }: PlanSelection, units: readonly UnitName[]): readonly string[] {
  return [...only, ...exclude].filter((pattern) => {
    const matches = compileGlob(pattern);
    return matches === null || !units.some(matches);
  });
}

function selects({ only, exclude }: PlanSelection): (unit: UnitName) => boolean {
  const matchers = (patterns: readonly string[]) => patterns.map((pattern) => compileGlob(pattern) ?? (() => false));
  const [wanted, unwanted] = [matchers(only), matchers(exclude)];
  return (unit) =>
    (wanted.length === 0 || wanted.some((matches) => matches(unit))) && !unwanted.some((matches) => matches(unit));
}

function nameOf({ only, exclude }: PlanSelection): string {
  const parts = [
    ...(only.length > 0 ? [`only ${only.join(", ")}`] : []),
    ...(exclude.length > 0 ? [`all but ${exclude.join(", ")}`] : []),
  ];
  return parts.join(" and ");
}
