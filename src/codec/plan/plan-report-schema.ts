import { z } from "zod";
import { machineId, planSchema, unitHash, unitName } from "./plan-schema.ts";
import { planVerdictSchema, whatIfSchema } from "./what-if-schema.ts";

const location = z
  .object({ path: z.string(), line: z.int().min(1).optional(), column: z.int().min(1).optional() })
  .meta({ id: "SourceLocation", description: "Lines and columns count from 1; columns count UTF-16 code units" });

const driftReason = z.discriminatedUnion("code", [
  z.object({ code: z.enum(["set-incomplete", "not-in-release", "index-edited", "index-missing", "left-over"]) }),
  z.object({ code: z.literal("other-than-release"), placed: unitHash, released: unitHash }),
  z.object({ code: z.literal("other-version"), runs: unitHash.nullable(), placed: unitHash }),
  z.object({ code: z.literal("blocked"), problem: z.string(), detail: z.string() }),
  z.object({
    code: z.literal("changed-by-hand"),
    seen: z.array(
      z.object({
        kind: z.enum(["edited", "deleted", "masked", "extra-dropin", "stopped"]),
        path: z.string().optional(),
      }),
    ),
    since: z.string(),
    corrected: z.int().min(0),
    outcome: z.enum(["corrected", "correcting", "detected", "given-up"]),
  }),
  z.object({ code: z.literal("not-running"), active: z.string(), sub: z.string() }),
]);

const drift = z
  .object({
    where: z.enum(["registry", "machine"]),
    unit: unitName.nullable(),
    machine: machineId.nullable(),
    because: driftReason,
  })
  .meta({ id: "Drift", description: "Something that is not as the release in force has it, whoever changed it" });

const riskReason = z.discriminatedUnion("code", [
  z.object({
    code: z.enum(["network-name", "network-order", "network-program", "network-capability"]),
    by: z.string(),
  }),
  z.object({ code: z.literal("asked-for") }),
]);

const diagnostic = z
  .object({
    code: z.string(),
    severity: z.enum(["error", "warning", "info"]),
    at: location.optional(),
    saw: z.string(),
    expected: z.string().optional(),
    next: z.string().optional(),
    excerpt: z
      .object({ text: z.string(), column: z.int().min(1).nullable() })
      .optional()
      .meta({ description: "The line `at` points to, secrets masked" }),
  })
  .meta({ id: "Diagnostic", description: "A problem the repository's author can fix" });

/** What `fleet plan --json` prints: the plan's own members, and what was seen beside it. */
export const planReportSchema = planSchema.extend({
  revision: z.int().min(0).meta({ description: "The registry's revision it was read at; 0 without one" }),
  verdict: planVerdictSchema.nullable(),
  whatIf: z
    .array(whatIfSchema)
    .meta({ description: "With --without the loss of those machines, with --n-1 that of each machine in turn" }),
  drift: z.array(drift),
  broken: z
    .array(z.object({ removed: unitName, by: unitName, key: z.string(), at: location }))
    .meta({ description: "What units of this commit name, and it removes" }),
  newlyUnplaceable: z.array(unitName).meta({ description: "Units no machine could ever hold: they forbid an apply" }),
  trials: z
    .array(z.object({ unit: unitName, machine: machineId, withinMs: z.int().min(1), because: riskReason }))
    .optional()
    .meta({ description: "Changes their machines undo where they cannot be reached after them; absent: none" }),
  images: z
    .array(z.object({ unit: unitName, from: z.string().nullable(), to: z.string().nullable(), pinned: z.boolean() }))
    .optional()
    .meta({
      description: "Other images of quadlets that change; `pinned`: a digest says which one `to` is; absent: none",
    }),
  stopped: z
    .object({
      seq: z.int().min(1),
      phase: z.enum(["held", "aborted", "rolled-back"]),
      base: z.int().min(1).nullable(),
      isPlanned: z.boolean(),
    })
    .optional()
    .meta({
      description: "The release in force, where its rollout ended before its end: what is placed counts as before",
    }),
  diagnostics: z.array(diagnostic),
});
