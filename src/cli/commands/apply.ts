import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { Args, Flags } from "@oclif/core";
import { waitConverged } from "../../daemon/wait-converged.ts";
import type { Convergence } from "../../domain/cluster/convergence.ts";
import type { MachineId } from "../../domain/names.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { type Applied, applyPlan } from "../../usecases/apply-plan.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { type Planned, planFromFlags } from "../plan-from-flags.ts";
import { sayDirty } from "../say-dirty.ts";
import { convergenceText, ProgressView } from "../views/convergence-text.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { planText } from "../views/plan-text.ts";
import { staleText } from "../views/stale-text.ts";
import { readPlanFile } from "./show.ts";

export default class ApplyCommand extends BaseCommand {
  static override summary = "Make a commit the cluster's release, and wait until it runs";
  static override args = { file: Args.string({ description: "A plan saved by `fleet plan --out`" }) };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    detach: Flags.boolean({ description: "Do not wait until it runs" }),
    timeout: Flags.string({ description: "How long to wait until it runs", default: "5m" }),
    "allow-deletes": Flags.boolean({ description: "With --auto-approve: also where the plan removes units" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ApplyCommand);
    const timeoutMs = parseDuration(flags.timeout);
    if (timeoutMs === null)
      throw new OperationError("bad-timeout", `${flags.timeout} is not a duration`, {
        next: "write one such as 90s or 5m",
      });
    const composition = await this.compose(flags);
    try {
      await composition.needRegistry();
      const planned = await this.plan(composition, args.file, flags);
      if (planned.diagnostics.length > 0) this.say(diagnosticsText(planned.diagnostics));
      if (!flags.json) this.print(planText(planned.plan, planned.snapshot, planned.verdict));
      refuseUnplaceable(planned);
      await this.approve(planned, args.file !== undefined, flags["auto-approve"], flags["allow-deletes"]);
      const applied = await this.apply(composition, planned, flags);
      if (applied.kind === "stale") {
        this.say(staleText(planned.plan, applied.release));
        throw new SilentExit(EXIT.stale);
      }
      if (applied.kind === "already")
        this.say(`already applied as release ${applied.release.seq} by ${applied.release.by}`);
      else this.say(`release ${applied.release.seq}: commit ${applied.release.commit.slice(0, 7)}`);
      const state = flags.detach
        ? null
        : await this.wait(composition, planned, applied.release.seq, timeoutMs, flags.json);
      if (flags.json)
        this.printJson({
          result: applied.kind,
          release: applied.release,
          planId: planned.plan.planId,
          convergence: state,
        });
      if (state !== null && !state.converged) throw new SilentExit(EXIT.notConverged);
    } finally {
      await composition.close();
    }
  }

  /** A saved plan is applied as it was reviewed: the commit is compiled again and must decide the very same. */
  private async plan(
    composition: Composition,
    file: string | undefined,
    flags: { revision: string },
  ): Promise<Planned> {
    if (file === undefined) {
      await sayDirty(composition, flags.revision, (line) => this.say(line), "HEAD is applied without them");
      return planFromFlags(composition, flags.revision);
    }
    const saved = await readPlanFile(file);
    if (saved.partial !== null) {
      throw new OperationError("plan-partial", `this plan shows ${saved.partial} only and cannot be applied`, {
        next: "plan a whole commit",
      });
    }
    const planned = await planFromFlags(composition, saved.commit);
    const done = planned.snapshot.release?.commit === saved.commit;
    if (!done && (planned.plan.base.basis !== saved.base.basis || planned.plan.contentId !== saved.contentId)) {
      this.say(staleText(saved, planned.snapshot.release));
      throw new SilentExit(EXIT.stale);
    }
    return { ...planned, plan: saved };
  }

  /** A saved plan was reviewed with what it removes; `--auto-approve` alone says yes to anything but a removal. */
  private async approve({ plan }: Planned, reviewed: boolean, auto: boolean, allowDeletes: boolean): Promise<void> {
    if (reviewed || plan.changes.length === 0) return;
    const removals = plan.changes.filter((change) => change.action === "remove").length;
    if (auto && (removals === 0 || allowDeletes)) return;
    if (auto) {
      throw new OperationError(
        "deletes-not-allowed",
        `this plan removes ${removals} ${removals === 1 ? "unit" : "units"}; nothing was changed`,
        {
          next: "add --allow-deletes if that is meant",
        },
      );
    }
    if (!process.stdin.isTTY) {
      throw new OperationError("not-approved", "nobody is there to say yes", {
        next: "add --auto-approve, or apply a reviewed plan: fleet apply FILE",
      });
    }
    const question =
      removals > 0
        ? `Apply this plan, which removes ${removals} units? Only 'yes' goes on: `
        : "Apply this plan? Only 'yes' goes on: ";
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question(question).finally(() => terminal.close());
    if (answer.trim() === "yes") return;
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }

  private async apply(
    composition: Composition,
    { plan, spec, snapshot }: Planned,
    flags: { source?: string | undefined; branch?: string | undefined },
  ): Promise<Applied> {
    const registry = await composition.needRegistry();
    const repository = await composition.repository();
    const sourceName = flags.source ?? snapshot.identity?.source ?? "";
    const branch = flags.branch ?? snapshot.identity?.branch ?? repository.currentBranch() ?? "main";
    const source = await composition.source(sourceName === "" ? (repository.worktree ?? ".") : sourceName, branch);
    return applyPlan({
      registry,
      keys: composition.keysOf(spec.cluster),
      source,
      sourceName,
      branch,
      manifest: composition.manifest,
      plan,
      spec,
      by: userInfo().username,
      clock: composition.clock,
      newId: composition.newId,
      sha256: composition.sha256,
    });
  }

  private async machineNames(composition: Composition, cluster: string): Promise<Map<MachineId, string>> {
    const { snapshot } = await readSnapshot(await composition.needRegistry(), composition.keysOf(cluster));
    return new Map(snapshot.members.map((member) => [member.id, member.name]));
  }

  private async wait(
    composition: Composition,
    { spec }: Planned,
    releaseSeq: number,
    timeoutMs: number,
    quiet: boolean,
  ): Promise<Convergence> {
    const progress = new ProgressView(process.stderr, composition.clock);
    const state = await waitConverged({
      registry: await composition.needRegistry(),
      keys: composition.keysOf(spec.cluster),
      spec,
      releaseSeq,
      timeoutMs,
      clock: composition.clock,
      sha256: composition.sha256,
      onProgress: (now) => progress.show(now),
    });
    progress.end();
    if (!quiet) this.say(convergenceText(state, await this.machineNames(composition, spec.cluster)));
    return state;
  }
}

function refuseUnplaceable({ newlyUnplaceable: units }: Planned): void {
  if (units.length === 0) return;
  throw new OperationError(
    "unplaceable",
    `${units.join(", ")} ${units.length === 1 ? "fits" : "fit"} on no machine; nothing was changed`,
    {
      next: "the plan above says what each machine lacks",
    },
  );
}
