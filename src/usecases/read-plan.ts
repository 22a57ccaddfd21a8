import { decodePlan } from "../codec/plan/decode-plan.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { PLAN_CHUNK_SHAPE, type PlanChunkRecord } from "../codec/registry-records.ts";
import type { Plan } from "../domain/plan/plan.ts";
import type { RegistryReader } from "../ports/registry.ts";

/** The plan a release was made with, or null where it is not there whole. */
export async function readPlan(registry: RegistryReader, keys: RegistryKeys, planId: string): Promise<Plan | null> {
  const { entries } = await registry.list(keys.planChunk(planId, 0).replace(/[^/]*$/, ""));
  const texts = entries.map((entry) => decodeRecord<PlanChunkRecord>(entry.value, PLAN_CHUNK_SHAPE));
  if (texts.length === 0) return null;
  const whole = texts.map((decoded) => (decoded.kind === "record" ? decoded.record.text : "")).join("");
  const read = decodePlan(whole);
  return read.kind === "plan" && read.plan.planId === planId ? read.plan : null;
}
