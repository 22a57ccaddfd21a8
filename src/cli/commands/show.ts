import { Args, Flags } from "@oclif/core";
import { encodePlan } from "../../codec/plan/encode-plan.ts";
import { decodeRecord } from "../../codec/record.ts";
import { RELEASE_SHAPE, type ReleaseRecord } from "../../codec/registry-records.ts";
import type { Plan } from "../../domain/plan/plan.ts";
import type { PlanReport } from "../../domain/plan/plan-report.ts";
import type { GitSource } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { judgeBasis, type Settled } from "../../usecases/judge-basis.ts";
import { readPlan } from "../../usecases/read-plan.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { isAltered } from "../../usecases/refuse-plan.ts";
import { specAt } from "../../usecases/spec-at.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import type { Composition } from "../composition.ts";
import { memberNames } from "../member-names.ts";
import { readPlanFile } from "../read-plan-file.ts";
import { terminalOf } from "../terminal-of.ts";
import { planMarkdown } from "../views/plan-markdown.ts";
import { planText } from "../views/plan-text.ts";
import { alreadyText, movedText } from "../views/stale-text.ts";

export default class ShowCommand extends BaseCommand {
  static override summary = "Show a saved plan, or the plan a release was made with";
  static override examples = ["fleet show 1"];
  static override args = { what: Args.string({ required: true, description: "A plan file, or a release's number" }) };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    markdown: Flags.boolean({ description: "Print Markdown, for a comment on a pull request", exclusive: ["json"] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ShowCommand);
    const composition = await this.compose(flags);
    try {
      const isRelease = /^\d+$/.test(args.what);
      const plan = isRelease
        ? await this.planOfRelease(composition, flags, Number(args.what))
        : await readPlanFile(args.what);
      if (flags.json) this.print(encodePlan(plan));
      else if (flags.markdown) this.print(planMarkdown(bareReport(plan), []));
      else this.print(planText(bareReport(plan), terminalOf(process.stdout, flags["no-color"])));
      if (isRelease) return;
      if (isAltered(plan, composition.sha256))
        this.say("warning: this plan is not as it was made, and cannot be applied");
      else await this.sayWhetherStale(composition, plan);
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
      throw new OperationError(
        "plan-missing",
        `the plan of release ${seq} is not in the registry any more, or no plan this fleet can read`,
      );
    return plan;
  }

  /** A stale plan can be read as well as any; where a cluster can be asked, it is said what moved. */
  private async sayWhetherStale(composition: Composition, plan: Plan): Promise<void> {
    const settled = await this.judge(composition, plan).catch((error: unknown) => {
      if (!(error instanceof OperationError)) throw error;
      this.say(`warning: whether this plan is stale is not known: ${error.message}`);
      return null;
    });
    if (settled === null) return;
    if (settled.kind === "already") {
      this.say(alreadyText(plan, settled.release, settled.inForce));
      return;
    }
    const moved = movedText(plan, settled.moved, memberNames(settled.snapshot), composition.clock.wallMs());
    this.say(`warning: this plan is stale and cannot be applied any more; since it was made\n${moved}`);
  }

  private async judge(composition: Composition, plan: Plan): Promise<Settled | null> {
    const registry = await composition.registry();
    if (registry === null) return null;
    const keys = composition.keysOf(plan.cluster);
    const { snapshot } = await readSnapshot(registry, keys);
    const source = await repositoryHere(composition);
    const compile = source === null ? null : await composition.compiler(source);
    const specOf = async () => (compile === null ? null : specAt(compile, plan.commit));
    return judgeBasis({ registry, keys, plan, source, specOf, sha256: composition.sha256 }, snapshot);
  }
}

/** Whoever only looks may stand anywhere. */
async function repositoryHere(composition: Composition): Promise<GitSource | null> {
  try {
    return await composition.repository();
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}

/** Of a saved plan nothing but itself is known. */
function bareReport(plan: Plan): PlanReport {
  return { plan, revision: 0, verdict: null, whatIf: [], drift: [], broken: [], newlyUnplaceable: [], trials: [] };
}
