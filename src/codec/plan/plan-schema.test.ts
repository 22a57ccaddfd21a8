import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { planReportSchema } from "./plan-report-schema.ts";
import { planSchema } from "./plan-schema.ts";

/** Every member writable and there, so that an optional one that one side lacks is missed too. */
type Whole<T> = T extends string | number
  ? T
  : T extends readonly (infer Item)[]
    ? Whole<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]-?: Whole<Exclude<T[Key], undefined>> }
      : T;
type Report = Plan & Omit<PlanReport, "plan"> & { readonly diagnostics: readonly Diagnostic[] };
type PlanRead = z.infer<typeof planSchema>;
type ReportRead = z.infer<typeof planReportSchema>;

/** Whoever changes `Plan` and not the schema, or the other way round, meets the compiler here. */
const inStep = {
  planIsInSchema: (plan: Whole<Plan>): Whole<PlanRead> => plan,
  schemaIsPlan: (plan: Whole<PlanRead>): Whole<Plan> => plan,
  reportIsInSchema: (report: Whole<Report>): Whole<ReportRead> => report,
  schemaIsReport: (report: Whole<ReportRead>): Whole<Report> => report,
};

test("the report's members are the plan's and its own", () => {
  assert.equal(Object.keys(inStep).length, 4);
  const own = Object.keys(planReportSchema.shape).filter((key) => !(key in planSchema.shape));
  assert.deepEqual(own.sort(), [
    "broken",
    "diagnostics",
    "drift",
    "images",
    "newlyUnplaceable",
    "revision",
    "stopped",
    "trials",
    "verdict",
    "whatIf",
  ]);
});
