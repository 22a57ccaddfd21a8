import type { Plan } from "../../domain/plan/plan.ts";
import { planSchema } from "./plan-schema.ts";

/** A plan of 20,000 units that all change has 16 million characters, and is read in half a second. */
export const PLAN_CHARACTERS_MAX = 64 * 1024 * 1024;

/** What this fleet reads of `format_version`: minor versions add fields, a major one means something else by the same ones. */
const MAJOR = "1";

export type PlanReading =
  | { readonly kind: "plan"; readonly plan: Plan }
  | { readonly kind: "refused"; readonly problem: string };

/**
 * Reads a saved plan of any placement rules: it can be looked at, whatever made it. Whether its contents are those it was made with, its
 * ids tell, which hash the members this version does not know as well; so they are kept.
 */
export function decodePlan(text: string): PlanReading {
  if (text.length > PLAN_CHARACTERS_MAX) return refused(`it has more than ${PLAN_CHARACTERS_MAX} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refused("it is not JSON");
  }
  const version = (value as { readonly format_version?: unknown } | null)?.format_version;
  if (typeof version !== "string") return refused("it has no format_version");
  const major = version.split(".")[0]!;
  if (major !== MAJOR) return refused(`its format is ${version.slice(0, 20)}, this fleet reads ${MAJOR}.x`);
  const checked = planSchema.safeParse(value);
  if (checked.success) return { kind: "plan", plan: value as Plan };
  const first = checked.error.issues[0]!;
  return refused(`${first.path.join(".")}: ${first.message}`);
}

function refused(problem: string): PlanReading {
  return { kind: "refused", problem };
}
