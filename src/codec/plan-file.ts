import { canonicalJson, type Json } from "../domain/canonical-json.ts";
import { type Plan, RULES_VERSION } from "../domain/plan/plan.ts";

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
  if (value?.v !== 1)
    return { kind: "refused", problem: `its format is version ${String(value?.v)}, this fleet reads 1` };
  if (value.rules !== RULES_VERSION) {
    return {
      kind: "refused",
      problem: `it was made with placement rules ${String(value.rules)}, this fleet has ${RULES_VERSION}`,
    };
  }
  const complete =
    typeof value.planId === "string" && typeof value.contentId === "string" && Array.isArray(value.placements);
  return complete ? { kind: "plan", plan: value as Plan } : { kind: "refused", problem: "parts of it are missing" };
}
