import { readFile } from "node:fs/promises";
import { Args } from "@oclif/core";
import { decodePlan } from "../../codec/plan/decode-plan.ts";
import { encodePlan } from "../../codec/plan/encode-plan.ts";
import { decodeRecord } from "../../codec/record.ts";
import { RELEASE_SHAPE, type ReleaseRecord } from "../../codec/registry-records.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { readPlan } from "../../usecases/read-plan.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import type { Composition } from "../composition.ts";
import { planText } from "../views/plan-text.ts";

export default class ShowCommand extends BaseCommand {
  static override summary = "Show a saved plan, or the plan a release was made with";
  static override args = { what: Args.string({ required: true, description: "A plan file, or a release's number" }) };
  static override flags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ShowCommand);
    const composition = await this.compose(flags);
    try {
      const plan = /^\d+$/.test(args.what)
        ? await this.planOfRelease(composition, flags, Number(args.what))
        : await readPlanFile(args.what);
      this.print(flags.json ? encodePlan(plan) : planText(plan, null));
    } finally {
      await composition.close();
    }
  }

  private async planOfRelease(
    composition: Composition,
    flags: { cluster?: string | undefined },
    seq: number,
  ): Promise<Plan> {
    const registry = await composition.needRegistry();
    const keys = composition.keysOf(await clusterName(composition, flags.cluster));
    const entry = (await registry.list(keys.releaseAt(seq), { exact: true })).entries[0];
    const decoded = entry === undefined ? null : decodeRecord<ReleaseRecord>(entry.value, RELEASE_SHAPE);
    if (decoded?.kind !== "record")
      throw new OperationError("release-unknown", `there is no release ${seq}`, {
        next: "see `fleet status` for the newest",
      });
    const plan = await readPlan(registry, keys, decoded.record.planId);
    if (plan === null)
      throw new OperationError("plan-missing", `the plan of release ${seq} is not in the registry any more`);
    return plan;
  }
}

/** A plan from a file, or the error that says why it is not one. */
export async function readPlanFile(path: string): Promise<Plan> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
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
