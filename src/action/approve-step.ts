import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pushApproval } from "../adapters/git/push-approval.ts";
import { approvalSlotOf } from "../cli/approval-slot.ts";
import { approvalRef, approvalText } from "../domain/sync/judge-approval.ts";
import { OperationError } from "../ports/operation-error.ts";
import { gitEnvironment } from "./git-environment.ts";
import type { GitHubEvent } from "./github-event.ts";
import { reviewOfMerge } from "./review-of-merge.ts";
import { writeResult } from "./review-result.ts";
import { type Ending, inWorkspace, type Step, tryForge } from "./step.ts";

/**
 * Lets the cluster release what was reviewed, where its manifest waits for that: pushes the ref engines look for. Asks neither registry nor
 * engine, so that the job holds no credential of the cluster; what the comment says is what the engine will compare its own plan with.
 */
export async function approveStep(step: Step): Promise<Ending> {
  const { runner, inputs, event, forge } = step;
  const review = await reviewOfMerge(step);
  const { contentId = null, clusterId = null, truncated = false } = review?.marker ?? {};
  if (review === null || contentId === null) {
    throw new OperationError("not-reviewed", `no reviewed plan was found for commit ${event.sha.slice(0, 7)}`, {
      next: "merge a pull request that command: plan has commented on",
    });
  }
  if (truncated) {
    throw new OperationError("review-truncated", "the comment did not show all of the plan", {
      next: "look at the whole plan, then approve by hand: fleet approve",
    });
  }
  if (clusterId === null) {
    throw new OperationError(
      "no-cluster",
      "the plan was made without a cluster, and there is nothing that could release it",
      {
        next: "plan against the cluster or its state; the first release is made by apply",
      },
    );
  }
  runner.output("content-id", contentId);
  const remote = inputs.source ?? `${event.serverUrl}/${event.repository}`;
  const ref = await ownRef(step, contentId, remote);
  await pushApproval({
    directory: inWorkspace(runner, inputs.workingDirectory),
    ...{
      remote,
      ref,
      text: approvalText(contentId, clusterId, inputs.allowDeletes),
      isSigned: inputs.signingKey !== "",
    },
    environment: gitEnvironment(step, remote, signingSettings(step)),
  });
  const head = `Approved ${contentId.slice(0, 12)}`;
  runner.log(`${head}: the cluster releases it by itself`);
  const result = `**${head}** by ${event.runUrl === null ? "a run" : `[a run](${event.runUrl})`}: the cluster releases it by itself`;
  if (inputs.stepSummary) runner.summary(result);
  if (forge !== null && inputs.comment !== "false") {
    const written = await tryForge(step, "the approval was not written into the comment", () =>
      writeResult(forge, review, result, true),
    );
    if (written !== null) runner.output("comment-url", written.url);
  }
  return { exitCode: 0, stepCode: 0, summary: head, failureReason: null };
}

/** Where several must sign, nobody's approval takes the place of another's; where nobody signs, there is one. */
async function ownRef(step: Step, contentId: string, remote: string): Promise<string> {
  const { inputs, event, composition } = step;
  if (inputs.signingKey === "") return approvalRef(contentId, 0);
  return approvalSlotOf(emailOf(event), contentId, await composition.source(remote, event.branch ?? "main"));
}

function emailOf({ actor }: GitHubEvent): string {
  return `${actor}@users.noreply.github.com`;
}

/** Who approves, and with which key. */
function signingSettings({ inputs, event, folder }: Step): (readonly [string, string])[] {
  const who = [["user.name", event.actor] as const, ["user.email", emailOf(event)] as const];
  if (inputs.signingKey === "") return who;
  const path = join(folder, "signing-key.pem");
  writeFileSync(path, `${inputs.signingKey}\n`, { mode: 0o600 });
  return [...who, ["gpg.format", "ssh"], ["user.signingkey", path]];
}
