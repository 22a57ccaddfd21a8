import { z } from "zod";
import { machineId, planCounts, rejections, unitName } from "./plan-schema.ts";

const staysDownReason = z
  .discriminatedUnion("code", [
    z.object({ code: z.literal("data-stays"), because: z.string() }),
    z.object({ code: z.literal("move-never") }),
    z.object({ code: z.literal("replace-no") }),
    z.object({ code: z.literal("pinned"), machine: z.string() }),
    z.object({ code: z.literal("no-other-machine") }),
    z.object({ code: z.literal("nothing-fits"), because: rejections }),
  ])
  .meta({ id: "StaysDownReason", description: "Why a unit stays down while the machine it is on is lost" });

const staysDown = z.array(z.object({ unit: unitName, because: staysDownReason }));

const count = z.int().min(0);

const brokenBudgets = z
  .array(z.object({ set: z.string(), of: count, maxUnavailable: count, atOnce: count, after: count }))
  .meta({
    description: "Replicas of which a loss takes more at once than maxUnavailable; `after`: once the others have moved",
  });

export const planVerdictSchema = z
  .object({
    changes: z.boolean(),
    counts: planCounts,
    loss: z
      .array(z.object({ machine: machineId, down: staysDown, moves: count, budgets: brokenBudgets }))
      .nullable()
      .meta({
        description:
          "Machines of which the loss leaves units down or breaks a budget; null where it was too much to find out",
      }),
    partition: z
      .object({ atMostOnce: z.array(unitName), mayRunTwice: count })
      .nullable()
      .meta({
        description:
          "When a machine is cut off: units that stop there before they start elsewhere, and how many may run twice",
      }),
  })
  .meta({ id: "PlanVerdict" });

/** What the loss of machines does to a cluster that is as the plan leaves it. */
export const whatIfSchema = z
  .object({
    lost: z.array(machineId),
    moves: z.array(z.object({ unit: unitName, from: machineId, to: machineId })),
    down: staysDown,
    budgets: brokenBudgets,
  })
  .meta({ id: "WhatIf", description: "What the loss of machines means, once everything that may move has moved" });
