import { open } from "node:fs/promises";
import { decodePlan, PLAN_CHARACTERS_MAX } from "../codec/plan/decode-plan.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { OperationError } from "../ports/operation-error.ts";

/** A plan from a file, or the error that says why it is not one. */
export async function readPlanFile(path: string): Promise<Plan> {
  const text = await readText(path).catch((cause: unknown) => {
    throw new OperationError("plan-unreadable", `cannot read the plan file ${path}`, {
      cause,
      next: "save one with `fleet plan --out FILE`, or give a release's number",
    });
  });
  const reading = decodePlan(text);
  if (reading.kind === "plan") return reading.plan;
  throw new OperationError("plan-refused", `${path} is not a plan this fleet can use: ${reading.problem}`, {
    next: "plan again: fleet plan --out FILE",
  });
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > PLAN_CHARACTERS_MAX)
      throw new Error(`it has ${size} bytes, more than the ${PLAN_CHARACTERS_MAX} allowed`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
