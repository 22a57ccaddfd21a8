import { memberNames } from "../cli/member-names.ts";
import type { Planned } from "../cli/plan-from-flags.ts";
import { errorText } from "../cli/report-error.ts";
import {
  type ApplyHost,
  type ApplyOutcome,
  applyCommit,
  applyExitCode,
  applyPlanFile,
  HEAD,
} from "../cli/run-apply.ts";
import { convergenceText } from "../cli/views/convergence-text.ts";
import { markdownFence, markdownText } from "../cli/views/markdown-text.ts";
import { ProgressView } from "../cli/views/progress-view.ts";
import { staleText } from "../cli/views/stale-text.ts";
import { isStopped } from "../domain/cluster/with-rollout.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Settled } from "../usecases/judge-basis.ts";
import { changeLines, changesDifference } from "./change-lines.ts";
import { keepPlan, planLine, showPlan } from "./plan-step.ts";
import type { Review } from "./review-comment.ts";
import { reviewOfMerge } from "./review-of-merge.ts";
import { writeResult } from "./review-result.ts";
import { type Ending, inWorkspace, type Step, tryForge } from "./step.ts";

/** What is waited for goes on without the step. */
const LOG_COLUMNS = 160;

/**
 * Makes the commit that is checked out the cluster's release if its plan is the one that was reviewed, and waits until it runs. To do it
 * again is harmless.
 */
export async function applyStep(step: Step): Promise<Ending> {
  const { runner, inputs, event, composition } = step;
  await composition.needRegistry();
  let review: Promise<Review | null> | null = null;
  const reviewed = () => (review ??= reviewOfMerge(step));
  let planned: Planned | null = null;
  const host: ApplyHost = {
    say: (text) => runner.log(text),
    show: (what) => {
      planned = what;
      showPlan(step, what);
      keepPlan(step, what);
    },
    approve: (what, settle) => approve(step, what, reviewed, settle),
    follow: () => {
      const stream = { isTTY: false, columns: LOG_COLUMNS, write: (text: string) => runner.log(text) };
      const view = new ProgressView(stream, composition.clock);
      return (followed) => view.show(followed);
    },
  };
  const options = {
    revision: HEAD,
    source: inputs.source,
    branch: inputs.branch,
    newSource: event.repository === null ? undefined : `${event.serverUrl}/${event.repository}`,
    lockTimeoutMs: inputs.lockTimeoutMs,
    timeoutMs: inputs.timeoutMs,
    by: event.actor,
  };
  try {
    const outcome = await (inputs.planFile === null
      ? applyCommit(composition, options, host)
      : applyPlanFile(composition, inWorkspace(runner, inputs.planFile), options, host));
    const told = tell(step, outcome);
    runner.log(told.text);
    await record(step, reviewed, { head: told.head, text: told.text, isOver: "release" in outcome });
    return endingOf(step, outcome, planned, told.head);
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    const difference = error instanceof PlanChangedError ? `${error.difference}\n` : "";
    runner.log(difference);
    await record(step, reviewed, { head: "Not applied", text: `${difference}${errorText(error)}`, isOver: false });
    throw error;
  }
}

/** What nobody reviewed is not applied, unless the workflow says that this is meant. */
async function approve(
  { runner, inputs, event }: Step,
  { plan }: Planned,
  reviewed: () => Promise<Review | null>,
  settle: () => Promise<Settled | null>,
): Promise<void> {
  if (plan.changes.length === 0) return;
  if (inputs.autoApprove) {
    if (plan.counts.actions.remove === 0 || inputs.allowDeletes) return;
    throw new OperationError(
      "deletes-not-allowed",
      `this plan removes ${plan.counts.actions.remove} of what runs; nothing was changed`,
      {
        next: "give allow-deletes: true if that is meant",
      },
    );
  }
  const review = await reviewed();
  if (review !== null && review.marker.contentId === plan.contentId && !review.marker.truncated) {
    runner.log(`this is the plan that was reviewed: ${review.comment.url}`);
    return;
  }
  // To run an old merge's step again is harmless, whatever has been released since.
  if ((await settle())?.kind === "already") return;
  if (review === null || review.marker.contentId === null) {
    throw new OperationError(
      "not-reviewed",
      `no reviewed plan was found for commit ${event.sha.slice(0, 7)}; nothing was changed`,
      {
        next: "merge a pull request that command: plan has commented on, give its plan-file, or auto-approve: true",
      },
    );
  }
  if (review.marker.contentId === plan.contentId) {
    throw new OperationError("review-truncated", "the comment did not show all of the plan; nothing was changed", {
      next: "apply the reviewed plan-file, or give auto-approve: true",
    });
  }
  const difference =
    review.marker.changes === null
      ? "the reviewed plan had too many changes to carry them in its comment"
      : changesDifference(review.marker.changes, changeLines(plan));
  throw new PlanChangedError(review.comment.url, difference);
}

/** What is planned now is not what somebody reviewed. */
class PlanChangedError extends OperationError {
  override readonly name = "PlanChangedError";
  readonly difference: string;

  constructor(url: string, difference: string) {
    super("plan-changed", `this is not the plan that was reviewed at ${url}; nothing was changed`, {
      next: "plan and review again on a new pull request, or give auto-approve: true",
    });
    this.difference = difference;
  }
}

/** The end as people read it: a word, and what there is to say. */
function tell({ composition }: Step, outcome: ApplyOutcome): { readonly head: string; readonly text: string } {
  const nowMs = composition.clock.wallMs();
  if (outcome.kind === "stale")
    return { head: "Not applied", text: staleText(outcome.plan, outcome.moved, memberNames(outcome.snapshot), nowMs) };
  if (outcome.kind === "locked")
    return { head: "Not applied", text: `lock apply is held ${outcome.heldText}; nothing was changed` };
  const { convergence, names, rollout, release } = outcome;
  if (convergence === null) return { head: `Release ${release.seq}`, text: "" };
  const stopped = convergence.rollout ?? null;
  const head = convergence.converged
    ? `Applied as release ${release.seq}`
    : isStopped(stopped)
      ? `Release ${release.seq} failed and ${ENDED[stopped.phase]}`
      : `Release ${release.seq} is applied and does not run everywhere yet`;
  return { head, text: convergenceText(convergence, names, rollout, nowMs) };
}

const ENDED = { held: "is held", aborted: "was aborted", "rolled-back": "was rolled back" } as const;

function endingOf({ runner }: Step, outcome: ApplyOutcome, planned: Planned | null, head: string): Ending {
  const exitCode = applyExitCode(outcome);
  const line = planned === null ? outcome.plan.cluster : planLine(planned);
  if (outcome.kind === "locked") runner.output("lock-info", JSON.stringify(outcome.by));
  if ("release" in outcome) runner.output("release", `${outcome.release.seq}`);
  return { exitCode, stepCode: exitCode, summary: `${line}; ${head}`, failureReason: whyFailed(outcome) };
}

function whyFailed(outcome: ApplyOutcome): string | null {
  if (outcome.kind === "stale") return "stale-plan";
  if (outcome.kind === "locked") return "lock-held";
  const { convergence } = outcome;
  if (convergence === null || convergence.converged) return null;
  const rollout = convergence.rollout ?? null;
  if (!isStopped(rollout)) return "not-converged";
  return rollout.phase === "rolled-back" ? "rolled-back" : "apply-failed";
}

async function record(
  step: Step,
  reviewed: () => Promise<Review | null>,
  { head, text, isOver }: { readonly head: string; readonly text: string; readonly isOver: boolean },
): Promise<void> {
  const { runner, inputs, event, forge } = step;
  const fence = markdownFence(text);
  const run = event.runUrl === null ? "" : ` ([run](${event.runUrl}))`;
  const result = `**${markdownText(head)}**${run}\n\n${fence}text\n${text}\n${fence}`;
  if (inputs.stepSummary) runner.summary(`### ${markdownText(head)}\n\n${fence}text\n${text}\n${fence}`);
  if (forge === null || inputs.comment === "false") return;
  const written = await tryForge(step, "the result was not written into the comment", async () => {
    const review = await reviewed();
    return review === null ? null : writeResult(forge, review, result, isOver);
  });
  if (written !== null) runner.output("comment-url", written.url);
}
