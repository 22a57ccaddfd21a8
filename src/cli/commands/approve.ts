import { resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import { pushApproval } from "../../adapters/git/push-approval.ts";
import { readReport } from "../../codec/read-report.ts";
import type { CommitId } from "../../domain/names.ts";
import { massChange } from "../../domain/plan/mass-change.ts";
import { approvalRef, approvalText } from "../../domain/sync/judge-approval.ts";
import type { Trust } from "../../domain/trust/trust-policy.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { refuseOtherDriver } from "../../usecases/refuse-other-driver.ts";
import { approvalRemote } from "../approval-remote.ts";
import { approvalSlot } from "../approval-slot.ts";
import { askYes } from "../ask-yes.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { clusterSource } from "../cluster-source.ts";
import type { Composition } from "../composition.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { planFromFlags } from "../plan-from-flags.ts";
import { terminalOf } from "../terminal-of.ts";
import { planText } from "../views/plan-text.ts";

const { revision: _revision, ...placeFlags } = repositoryFlags;

interface ApproveFlags {
  readonly json: boolean;
  readonly "auto-approve": boolean;
  readonly "allow-deletes": boolean;
  readonly "no-color": boolean;
}

export default class ApproveCommand extends BaseCommand {
  static override summary = "Approve what a commit changes, where the engine that follows the branch waits for it";
  static override description =
    "Pushes a signed ref, refs/fleet/approvals/<contentId>, to the cluster's source. What is approved is the content of the plan, not the commit: a merge that does the same is approved too, and a plan that has become another one is not.";
  static override examples = ["fleet approve"];
  static override args = {
    what: Args.string({ description: "A commit, or a plan's contentId (default: the commit the engine holds)" }),
  };
  static override flags = {
    ...placeFlags,
    ...clusterFlags,
    ...outputFlags,
    "auto-approve": Flags.boolean({ description: "Do not ask" }),
    "allow-deletes": Flags.boolean({
      description: "Approve also what stops more than a quarter of the units, or all of them",
    }),
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
      const isMass = held?.reason.code === "deletes" || held?.reason.code === "empties";
      if (isMass && waits === contentId && !flags["allow-deletes"]) throw massUnsaid();
      const directory = resolve(flags.directory);
      const remote = flags.remote ?? (await approvalRemote(directory, identity.source));
      const trust = await trustAt(composition, snapshot.release!.commit);
      const isSigned = trust === null || trust.mode !== "off";
      const isShared = trust?.rules.some(({ count }) => count > 1) === true;
      const ref = isShared
        ? await approvalSlot(contentId, directory, (await clusterSource(composition, flags, identity)).source)
        : approvalRef(contentId, 0);
      const text = approvalText(contentId, identity.id, flags["allow-deletes"]);
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
    if (massChange(planned.plan, planned.spec) !== null && !flags["allow-deletes"]) throw massUnsaid();
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

/** Whose approvals count; null: the release in force cannot be read here, and then it is taken to name somebody. */
async function trustAt(composition: Composition, inForce: CommitId): Promise<Trust | null> {
  const repository = await composition.repository();
  const { TrustJudge } = await import("../../usecases/trust-judge.ts");
  const judge = new TrustJudge({ source: repository, manifestPath: composition.manifest, own: null });
  try {
    return (await judge.trustOf(inForce)).trust;
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}

function massUnsaid(): OperationError {
  return new OperationError("mass-change", "it stops more than a quarter of the units, or all of them", {
    next: "look at the folders the manifest names; add --allow-deletes if that is meant",
  });
}
