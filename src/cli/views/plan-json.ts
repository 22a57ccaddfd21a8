import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";

/** A plan for programs, as schemas/plan-report.schema.json describes it: the plan's own members, and what was seen beside it. */
export function planJson(report: PlanReport & { readonly diagnostics: readonly Diagnostic[] }): object {
  const {
    plan,
    revision,
    verdict,
    whatIf,
    drift,
    broken,
    newlyUnplaceable,
    trials,
    images = [],
    stopped,
    diagnostics,
  } = report;
  return {
    ...plan,
    revision,
    verdict,
    whatIf,
    drift,
    broken,
    newlyUnplaceable,
    ...(stopped === undefined ? {} : { stopped }),
    ...(trials.length === 0 ? {} : { trials }),
    ...(images.length === 0 ? {} : { images }),
    diagnostics,
  };
}
