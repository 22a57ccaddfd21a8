import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import { planReportSchema } from "./plan-report-schema.ts";
import { planSchema } from "./plan-schema.ts";

type Writable<T> = T extends string | number
  ? T
  : T extends readonly (infer Item)[]
    ? Writable<Item>[]
    : T extends object
      ? { -readonly [Key in keyof T]: Writable<T[Key]> }
      : T;
type FlatReport = Plan & Omit<PlanReport, "plan"> & { readonly diagnostics: readonly Diagnostic[] };

/** Whoever changes `Plan` and not the schema, or the other way round, meets the compiler here. */
const inStep = {
  planIsInSchema: (plan: Writable<Plan>): z.infer<typeof planSchema> => plan,
  schemaIsPlan: (plan: z.infer<typeof planSchema>): Plan => plan,
  reportIsInSchema: (
    report: Writable<Omit<FlatReport, "verdict">>,
  ): Omit<z.infer<typeof planReportSchema>, "verdict"> => report,
  schemaIsReport: (report: z.infer<typeof planReportSchema>): Omit<FlatReport, "verdict"> => report,
};

test("the report's members are the plan's and its own", () => {
  assert.equal(Object.keys(inStep).length, 4);
  const own = Object.keys(planReportSchema.shape).filter((key) => !(key in planSchema.shape));
  assert.deepEqual(own.sort(), ["broken", "diagnostics", "drift", "newlyUnplaceable", "revision", "verdict"]);
});
