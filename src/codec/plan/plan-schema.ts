import { z } from "zod";
import type { CommitId, GroupName, MachineId, SpecHash, UnitHash, UnitName } from "../../domain/names.ts";
import { CHANGE_ACTIONS, EFFECTS, type Plan } from "../../domain/plan/plan.ts";
import { UNIT_EFFECTS } from "../../domain/unit/unit-effect.ts";

/**
 * The whole saved plan, the one description: files are checked by it and `schemas/plan.schema.json` is printed from it. Its types and
 * `Plan` are held together by plan-schema.test.ts. Members it does not name are let be: a minor version adds some.
 */

/** Twenty thousand units on a thousand machines with a few global ones; nobody's plan has more of anything. */
const ITEMS_MAX = 1_000_000;
/** Conditions of a unit file and paths are the longest texts in a plan; this is as long as a line of a unit file may be. */
const TEXT_MAX = 1_048_576;

/** A string the domain tells apart from others. What it must look like is checked here, at the door. */
function branded<T extends string>(schema: z.ZodString): z.ZodType<T, T> {
  return schema as unknown as z.ZodType<T, T>;
}

const list = <T extends z.ZodType>(item: T) => z.array(item).max(ITEMS_MAX);
const text = z.string().max(TEXT_MAX);
const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const unitName = branded<UnitName>(
  z.string().min(1).max(255).meta({ id: "UnitName", description: "As systemd or quadlet spells it: web@1.service" }),
);
export const machineId = branded<MachineId>(
  z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .meta({ id: "MachineId", description: "The machine's /etc/machine-id" }),
);
export const unitHash = branded<UnitHash>(
  z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .meta({ id: "UnitHash", description: "sha256 of everything of one unit that lands on one machine" }),
);
const groupName = branded<GroupName>(z.string().min(1).max(255));
const commitId = branded<CommitId>(
  z
    .string()
    .regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/)
    .meta({ id: "CommitId", description: "A full git object id" }),
);
const specHash = branded<SpecHash>(hash);
const goal = z.enum(["inactive", "loaded", "launched"]).meta({ id: "UnitGoal" });

export const rejectReason = z
  .discriminatedUnion("code", [
    z.object({ code: z.enum(["not-admitted", "absent", "lost", "drained", "cordoned", "flapping"]) }),
    z.object({ code: z.literal("other-machine"), wanted: text }),
    z.object({ code: z.literal("metadata"), wanted: text }),
    z.object({ code: z.literal("capability"), wanted: text }),
    z.object({ code: z.literal("conflict"), unit: unitName, with: unitName }),
    z.object({ code: z.literal("replaced-by"), unit: unitName }),
    z.object({
      code: z.literal("no-room"),
      resource: z.enum(["cpu", "memory"]),
      wanted: count.meta({ description: "Thousandths of a core, or bytes" }),
      free: z.int().meta({ description: "Less than 0 where more was promised than there is" }),
      capacity: count,
    }),
    z.object({ code: z.literal("max-per-machine"), set: text, limit: count }),
    z.object({ code: z.literal("spread"), set: text, key: text, value: text.nullable() }),
  ])
  .meta({ id: "RejectReason", description: "Why a machine cannot hold a group" });

const placementReason = z
  .discriminatedUnion("code", [
    z.object({ code: z.enum(["stayed", "planned", "only-fit", "global", "awaits-machine"]) }),
    z.object({ code: z.literal("least-loaded"), load: count, fitting: count }),
    z.object({ code: z.literal("data-stays"), because: text }),
    z.object({ code: z.literal("nowhere-else"), because: rejectReason }),
    z.object({ code: z.literal("joined-group"), group: groupName, from: machineId.nullable() }),
    z.object({ code: z.literal("moved"), from: machineId, because: rejectReason }),
  ])
  .meta({ id: "PlacementReason", description: "Why a unit is where it is" });

const placement = z
  .object({ unit: unitName, machine: machineId, hash: unitHash, goal, reason: placementReason })
  .meta({ id: "Placement" });

/** One entry a kind of reason, most machines first. */
export const rejections = list(z.object({ reason: rejectReason, count, examples: list(text) }));

const unplaced = z
  .object({
    group: groupName,
    units: list(unitName),
    kind: z.enum(["unplaceable", "waiting"]),
    because: rejections,
    nearest: z
      .object({ machine: text, obstacles: list(rejectReason) })
      .nullable()
      .meta({ description: "The machine that lacks least, and everything that keeps the group off it" }),
  })
  .meta({ id: "Unplaced", description: "A group no machine holds now" });

const effectCause = z.object({ section: text, key: text, effect: z.enum(UNIT_EFFECTS) }).meta({
  id: "EffectCause",
  description:
    "A directive that differs, and what that alone would do. In section `files` the key is the path of a file the unit reads, below the unit's own folder; in `secrets` the secret's name",
});

const changeReason = z
  .discriminatedUnion("code", [
    z.object({ code: z.enum(["gone-from-commit", "goal-changed", "machine-joined", "no-longer-fits"]) }),
    z.object({ code: z.literal("new-unit"), placed: placementReason }),
    z.object({ code: z.literal("runs-here"), others: list(machineId) }),
    z.object({ code: z.literal("moved"), placed: placementReason }),
    z.object({ code: z.literal("files-changed"), causes: list(effectCause).nullable() }),
    z.object({ code: z.enum(["restart-with", "stopped-with"]), unit: unitName }),
  ])
  .meta({ id: "ChangeReason" });

const side = z.object({ machine: machineId, hash: unitHash, goal }).meta({ id: "Side" });

const change = z
  .object({
    action: z.enum(CHANGE_ACTIONS),
    effect: z.enum(EFFECTS).meta({ description: "What happens to what runs; worst first in the list of changes" }),
    unit: unitName,
    from: side.nullable().meta({ description: "Where it was: null for what is new" }),
    to: side.nullable().meta({ description: "Where it will be: null for what goes" }),
    reason: changeReason,
  })
  .meta({ id: "Change" });

const budget = { set: text, up: count, of: count, min: count };
const waveGate = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("bake"), sets: list(text), ms: count }),
    z.object({
      kind: z.literal("soak"),
      ring: count.nullable().meta({ description: "Null where no ring was changed before" }),
      ms: count,
      window: text.nullable(),
    }),
  ])
  .meta({ id: "WaveGate", description: "What has to pass before a wave begins, beside the end of the one before" });
const wave = z
  .object({
    changes: list(z.object({ unit: unitName, machine: machineId })),
    budgets: list(z.object(budget)),
    ring: count.exactOptional().meta({ description: "Counted from 0; absent where the commit has no rings" }),
    after: waveGate.exactOptional(),
  })
  .meta({ id: "Wave", description: "Changes that happen together, and how many of each set stay up meanwhile" });
const refusal = z
  .object({ ...budget, wave: z.int().min(1), now: count })
  .meta({ id: "BudgetRefusal", description: "A wave that leaves a set worse than its budget and worse than now" });

const ring = z
  .object({ name: text.nullable().meta({ description: "Null: the machines that are in none" }), machines: count })
  .meta({ id: "Ring", description: "Machines that get a commit before others do" });

const tally = <K extends string>(keys: readonly K[]) =>
  z.object(Object.fromEntries(keys.map((key) => [key, count])) as Record<K, typeof count>);

export const planCounts = z
  .object({
    actions: tally(CHANGE_ACTIONS),
    effects: tally(EFFECTS),
    files: count.nullable(),
    unchanged: count,
    unplaced: count,
  })
  .meta({ id: "PlanCounts" });

export const planSchema = z.object({
  format_version: z
    .templateLiteral(["1.", z.int().min(0)])
    .meta({ description: "A minor step adds fields, a major one breaks readers" }),
  rules: z.int().min(1).meta({ description: "Version of the placement rules; a plan of other rules is not applied" }),
  cluster: text,
  clusterId: text.nullable().meta({ description: "Null where there is no cluster yet" }),
  commit: commitId,
  specHash,
  base: z
    .object({ releaseSeq: count, releaseCommit: commitId.nullable(), basis: hash })
    .meta({ description: "What the plan was decided from; where it has moved, the plan is stale" }),
  machines: list(z.object({ id: machineId, name: text, present: z.boolean(), metadata: z.record(text, text) })),
  changes: list(change),
  placements: list(placement),
  unplaced: list(unplaced),
  waves: list(wave),
  refusals: list(refusal),
  rings: list(ring).exactOptional().meta({ description: "Absent where the commit has none" }),
  counts: planCounts,
  unknown: list(unitName).meta({ description: "Units that would run, where there is no machine yet" }),
  partial: text.nullable().meta({ description: "Which view of the commit this is; such a plan cannot be applied" }),
  contentId: hash.meta({ description: "sha256 of what the plan does: no commit, no revision, no reason" }),
  planId: hash.meta({ description: "sha256 of the whole document without this member" }),
}) satisfies z.ZodType<Plan>;
