import { z } from "zod";
import { planReportSchema } from "./plan-report-schema.ts";
import { planSchema } from "./plan-schema.ts";

/** JSON Schema (draft 2020-12) of a saved plan, from the schema that checks it. Ends in a newline. */
export function planJsonSchema(): string {
  return printed(planSchema, "A plan saved by `fleet plan --out`");
}

/** The same of what `fleet plan --json` prints. */
export function planReportJsonSchema(): string {
  return printed(planReportSchema, "What `fleet plan --json` prints");
}

/** As input: members the schema does not name are allowed. */
function printed(schema: z.ZodType, title: string): string {
  return `${JSON.stringify({ ...z.toJSONSchema(schema, { io: "input" }), title }, null, 2)}\n`;
}
