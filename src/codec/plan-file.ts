import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import { PLAN_FORMAT, type Plan, RULES_VERSION } from "../domain/plan/plan.ts";
import { hasShape, type Shape } from "./record.ts";

/** Enough to be shown; whether its contents are those it was made with, its ids tell (applyPlan). */
const PLAN_SHAPE: Shape = {
  cluster: "string",
  clusterId: "string?",
  commit: "string",
  specHash: "string",
  machines: "objects",
  changes: "objects",
  placements: "objects",
  unplaced: "objects",
  waves: "objects",
  refusals: "objects",
  unknown: "strings",
  partial: "string?",
  contentId: "string",
  planId: "string",
};
const BASE_SHAPE: Shape = { releaseSeq: "number", releaseCommit: "string?", basis: "string" };

export type PlanReading =
  | { readonly kind: "plan"; readonly plan: Plan }
  | { readonly kind: "refused"; readonly problem: string };

/** A saved plan's text: canonical JSON and one final newline, so that equal plans are equal bytes. */
export function encodePlan(plan: Plan): string {
  return `${canonicalJson(plan as unknown as Json)}\n`;
}

/** Reads a saved plan. One of other rules or another format is refused: the same inputs might be decided otherwise today. */
export function decodePlan(text: string): PlanReading {
  let value: Partial<Plan> | null;
  try {
    value = JSON.parse(text) as Partial<Plan> | null;
  } catch {
    return { kind: "refused", problem: "it is not JSON" };
  }
  if (value?.format_version !== PLAN_FORMAT)
    return {
      kind: "refused",
      problem: `its format is ${String(value?.format_version)}, this fleet reads ${PLAN_FORMAT}`,
    };
  if (value.rules !== RULES_VERSION) {
    return {
      kind: "refused",
      problem: `it was made with placement rules ${String(value.rules)}, this fleet has ${RULES_VERSION}`,
    };
  }
  if (hasShape(value, PLAN_SHAPE) && hasShape(value.base, BASE_SHAPE) && hasShape(value.counts, {})) {
    return { kind: "plan", plan: value as Plan };
  }
  return { kind: "refused", problem: "parts of it are missing" };
}
