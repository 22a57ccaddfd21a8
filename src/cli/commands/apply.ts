import { userInfo } from "node:os";
import { Args, Flags } from "@oclif/core";
import { type MassChange, massChange } from "../../domain/plan/mass-change.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { askYes } from "../ask-yes.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { memberNames } from "../member-names.ts";
import type { Planned } from "../plan-from-flags.ts";
import { errorText } from "../report-error.ts";
import { type ApplyHost, type ApplyOutcome, applyCommit, applyExitCode, applyPlanFile, HEAD } from "../run-apply.ts";
import { terminalOf } from "../terminal-of.ts";
import { convergenceText } from "../views/convergence-text.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { planText } from "../views/plan-text.ts";
import { ProgressView } from "../views/progress-view.ts";
import { staleText } from "../views/stale-text.ts";

interface ApplyFlags {
  readonly json: boolean;
  readonly "auto-approve": boolean;
  readonly "allow-deletes": boolean;
  readonly "no-color": boolean;
}

export default class ApplyCommand extends BaseCommand {
  static override summary = "Make a commit the cluster's release, and wait until it runs";
  static override examples = ["fleet apply --auto-approve --detach"];
  static override args = { file: Args.string({ description: "A plan saved by `fleet plan --out`" }) };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    revision: Flags.string({
      description: "The commit to apply; with FILE, the one that took the plan's onto the branch (default: its tip)",
      env: "FLEET_REVISION",
      default: HEAD,
    }),
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    detach: Flags.boolean({ description: "Do not wait until it runs" }),
    timeout: Flags.string({ description: "How long to wait until it runs", default: "5m" }),
    "lock-timeout": Flags.string({
      description: "How long to wait while somebody else applies; then it ends with 4",
      env: "FLEET_LOCK_TIMEOUT",
      default: "30s",
    }),
    "allow-deletes": Flags.boolean({
      description:
        "Also where the plan stops more than a quarter of the units or leaves none; with --auto-approve, where it removes any",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ApplyCommand);
    const timeoutMs = timeOf(flags.timeout);
    const lockTimeoutMs = timeOf(flags["lock-timeout"]);
    const composition = await this.compose(flags);
    try {
      await composition.needRegistry();
      const { revision, source, branch, detach } = flags;
      const by = userInfo().username;
      const options = { revision, source, branch, lockTimeoutMs, timeoutMs: detach ? null : timeoutMs, by };
      let progress: ProgressView | null = null;
      const host: ApplyHost = {
        say: (text) => this.say(text),
        show: (planned) => this.show(planned, flags),
        approve: (planned) => this.approve(planned, flags),
        follow: () => {
          const view = new ProgressView(process.stderr, composition.clock);
          progress = view;
          return (followed) => view.show(followed);
        },
      };
      const outcome = await (args.file === undefined
        ? applyCommit(composition, options, host)
        : applyPlanFile(composition, args.file, options, host));
      (progress as ProgressView | null)?.end();
      this.tell(outcome, composition, flags.json);
    } finally {
      await composition.close();
    }
  }

  private show(planned: Planned, flags: ApplyFlags): void {
    if (planned.diagnostics.length > 0) this.say(diagnosticsText(planned.diagnostics));
    if (!flags.json) this.print(planText(planned, terminalOf(process.stdout, flags["no-color"])));
  }

  /** `--auto-approve` alone says yes to anything but a removal, and no "yes" to a mass of stops: most of those were not meant. */
  private async approve({ plan, spec }: Planned, flags: ApplyFlags): Promise<void> {
    if (plan.changes.length === 0) return;
    const mass = massChange(plan, spec);
    if (mass !== null && !flags["allow-deletes"]) throw massRefusal(mass);
    const removals = plan.counts.actions.remove;
    const units = `${removals} ${removals === 1 ? "unit" : "units"}`;
    if (flags["auto-approve"]) {
      if (removals === 0 || flags["allow-deletes"]) return;
      throw new OperationError("deletes-not-allowed", `this plan removes ${units}; nothing was changed`, {
        next: "add --allow-deletes if that is meant",
      });
    }
    if (!process.stdin.isTTY) {
      throw new OperationError("not-approved", "nobody is there to say yes", {
        next: "add --auto-approve, or apply a reviewed plan: fleet apply FILE",
      });
    }
    const what =
      plan.clusterId === null ? ", which makes a new cluster" : removals > 0 ? `, which removes ${units}` : "";
    if (await askYes(`Apply this plan${what}?`)) return;
    this.say("nothing was changed");
    throw new SilentExit(EXIT.error);
  }

  private tell(outcome: ApplyOutcome, { clock }: Composition, json: boolean): void {
    const { plan } = outcome;
    switch (outcome.kind) {
      case "locked": {
        const { by, heldText } = outcome;
        const next =
          "wait until it is free (--lock-timeout), or fleet locks release apply HOLDER if its holder is gone";
        const message = `lock apply is held ${heldText}; nothing was changed`;
        this.say(errorText(new OperationError("lock-held", message, { next })));
        if (json) this.printJson({ result: "locked", by });
        break;
      }
      case "stale": {
        const { moved, snapshot } = outcome;
        this.say(staleText(plan, moved, memberNames(snapshot), clock.wallMs()));
        if (json) this.printJson({ result: "stale", release: snapshot.release, planId: plan.planId, moved });
        break;
      }
      default: {
        const { kind, release, convergence, rollout, names } = outcome;
        if (convergence !== null && !json) this.say(convergenceText(convergence, names, rollout, clock.wallMs()));
        if (json) this.printJson({ result: kind, release, planId: plan.planId, convergence, rollout });
      }
    }
    const code = applyExitCode(outcome);
    if (code !== EXIT.done) throw new SilentExit(code);
  }
}

function massRefusal({ code, stopped, of }: MassChange): OperationError {
  const what = code === "empties" ? `all ${of} units: the commit has none` : `${stopped} of ${of} units`;
  return new OperationError("mass-change", `this plan stops ${what}; nothing was changed`, {
    next: "look at the folders the manifest names; add --allow-deletes if that is meant",
  });
}

function timeOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== null) return milliseconds;
  throw new OperationError("bad-timeout", `${text} is not a duration`, { next: "write one such as 90s or 5m" });
}
