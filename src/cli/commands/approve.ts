import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { pushApproval } from "../../adapters/git/push-approval.ts";
import { readReport } from "../../codec/read-report.ts";
import type { CommitId } from "../../domain/names.ts";
import { APPROVALS_PREFIX, approvalText } from "../../domain/sync/judge-approval.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { refuseOtherDriver } from "../../usecases/refuse-other-driver.ts";
import { approvalRemote } from "../approval-remote.ts";
import { askYes } from "../ask-yes.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { planFromFlags } from "../plan-from-flags.ts";
import { terminalOf } from "../terminal-of.ts";
import { planText } from "../views/plan-text.ts";

const { revision: _revision, ...placeFlags } = repositoryFlags;

interface ApproveFlags {
  readonly json: boolean;
  readonly "auto-approve": boolean;
  readonly "no-color": boolean;
}

export default class ApproveCommand extends BaseCommand {
  static override summary = "Approve what a commit changes, where the engine that follows the branch waits for it";
  static override description =
    "Pushes a signed ref, refs/fleet/approvals/<contentId>, to the cluster's source. What is approved is the content of the plan, not the commit: a merge that does the same is approved too, and a plan that has become another one is not.";
  static override args = {
    what: Args.string({ description: "A commit, or a plan's contentId (default: the commit the engine holds)" }),
  };
  static override flags = {
    ...placeFlags,
    ...clusterFlags,
    ...outputFlags,
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    remote: Flags.string({
      description: "Where to push it: a remote's name or an address (default: origin, else the source)",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ApproveCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { snapshot } = await readSnapshot(registry, keys);
      refuseOtherDriver(snapshot.release, "sync");
      const { identity } = snapshot;
      if (identity === null) throw new OperationError("no-cluster", "there is no cluster in this registry yet");
      const report = (await registry.list(keys.report, { exact: true })).entries[0];
      const held = report === undefined ? undefined : readReport(report.value)?.sync?.held;
      const contentId = /^[0-9a-f]{64}$/.test(args.what ?? "")
        ? args.what!
        : await this.#planned(composition, args.what ?? held?.commit, flags);
      const waits = held !== undefined && "contentId" in held.reason ? held.reason.contentId : null;
      if (waits !== null && waits !== contentId) {
        this.say(`the engine waits for another content, of commit ${held!.commit.slice(0, 7)}: ${waits}`);
      }
      const directory = resolve(flags.directory);
      const remote = flags.remote ?? (await approvalRemote(directory, identity.source));
      const isSigned = await isTrusting(composition, snapshot.release!.commit);
      const ref = `${APPROVALS_PREFIX}${contentId}`;
      const text = approvalText(contentId, identity.id);
      await pushApproval({ directory, remote, ref, text, isSigned, environment: process.env });
      if (flags.json) this.printJson({ contentId, ref, signed: isSigned });
      else this.say(`approved: ${ref}; the engine sees it at its next look, or now: fleet sync now`);
    } finally {
      await composition.close();
    }
  }

  /** Shows what is to be approved, and asks. */
  async #planned(composition: Composition, revision: string | undefined, flags: ApproveFlags): Promise<string> {
    if (revision === undefined) {
      throw new OperationError("nothing-held", "the engine holds no commit", {
        next: "name the commit to approve before it is pushed: fleet approve REV",
      });
    }
    const planned = await planFromFlags(composition, revision);
    if (!flags.json) this.print(planText(planned, terminalOf(process.stdout, flags["no-color"])));
    const { contentId } = planned.plan;
    if (flags["auto-approve"]) return contentId;
    if (!process.stdin.isTTY) {
      const next = "add --auto-approve, or name what was reviewed: fleet approve CONTENT-ID";
      throw new OperationError("not-approved", "nobody is there to say yes", { next });
    }
    if (await askYes("Approve this plan?")) return contentId;
    this.say("nothing was approved");
    throw new SilentExit(EXIT.error);
  }
}

/** Whether an approval must be signed to count; where the release in force cannot be read here, it is taken to be so. */
async function isTrusting(composition: Composition, inForce: CommitId): Promise<boolean> {
  const repository = await composition.repository();
  const { TrustJudge } = await import("../../usecases/trust-judge.ts");
  const judge = new TrustJudge({ source: repository, manifestPath: composition.manifest, own: null });
  try {
    return (await judge.trustOf(inForce)).trust?.mode !== "off";
  } catch (error) {
    if (error instanceof OperationError) return true;
    throw error;
  }
}
