import { canonicalJson, type Json } from "../../domain/canonical-json.ts";
import type { Plan } from "../../domain/plan/plan.ts";

/** A saved plan's text: canonical JSON and one final newline, so that equal plans are equal bytes. */
export function encodePlan(plan: Plan): string {
  return `${canonicalJson(plan as unknown as Json)}\n`;
}
