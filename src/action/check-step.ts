import { changedUnits, type Planned, planFromFlags } from "../cli/plan-from-flags.ts";
import { driftText } from "../cli/views/drift-text.ts";
import { markdownText } from "../cli/views/markdown-text.ts";
import { planMarkdown } from "../cli/views/plan-markdown.ts";
import { printableLine } from "../cli/views/printable.ts";
import { stoppedReleaseLines } from "../cli/views/stopped-release-text.ts";
import type { Drift } from "../domain/plan/find-drift.ts";
import { changeLines } from "./change-lines.ts";
import { tellDrift } from "./drift-issue.ts";
import { keepPlan, planLine, showPlan } from "./plan-step.ts";
import { type Ending, type Step, tryForge } from "./step.ts";

/** An issue has 65,536 characters as well. */
const PLAN_BYTES_MAX = 30_000;
/** The rest is counted. */
const DRIFT_LINES_MAX = 100;

/**
 * Compares the cluster with the commit that is checked out: what that would change now, and what is not as the release in force has it. One
 * issue says so for as long as it lasts.
 */
export async function checkStep(step: Step): Promise<Ending> {
  const { runner, inputs, composition } = step;
  await composition.needRegistry();
  const planned = await planFromFlags(composition, "HEAD");
  showPlan(step, planned);
  keepPlan(step, planned);
  const findings = driftLines(planned);
  for (const line of findings) runner.log(line);
  const { plan } = planned;
  const isDrifted = findings.length + plan.changes.length > 0;
  const { forge } = step;
  if (forge === null) runner.warn("no issue was opened or closed: github-token is empty");
  else if (inputs.comment !== "false") {
    const issue = await tryForge(step, "the issue about drift was not written", () =>
      tellDrift(forge, {
        ...{ manifest: inputs.manifest, label: inputs.label, sha256: composition.sha256 },
        title: `${plan.cluster}${inputs.label === "" ? "" : ` (${inputs.label})`} is not as its repository says`,
        // Neither revisions nor times: an issue is edited when there is news.
        facts: isDrifted ? [...changeLines(plan), ...findings] : null,
        text: issueText(planned, findings, step.event.runUrl),
        goneText: `As it should be again at \`${plan.commit.slice(0, 7)}\`.`,
      }),
    );
    if (issue !== null) runner.output("issue-url", issue.url);
  }
  if (inputs.stepSummary) {
    runner.summary(planMarkdown(planned, changedUnits(planned), { bytesMax: PLAN_BYTES_MAX }));
    runner.summary(findings.map((line) => `- ${markdownText(line)}`).join("\n"));
  }
  const exitCode = isDrifted ? 2 : 0;
  const stepCode = inputs.detailedExitCode ? exitCode : inputs.failOnChanges && isDrifted ? 1 : 0;
  const drift = findings.length === 0 ? "no drift" : `drift: ${findings.length}`;
  return {
    exitCode,
    stepCode,
    summary: `${planLine(planned)}; ${drift}`,
    failureReason: stepCode === 0 ? null : "drift",
  };
}

function driftLines(planned: Planned): string[] {
  const names = new Map(planned.plan.machines.map(({ id, name }) => [id, name]));
  const lines = planned.drift.slice(0, DRIFT_LINES_MAX).map((drift) => {
    const machine = drift.machine === null ? "" : ` on ${names.get(drift.machine) ?? drift.machine.slice(0, 8)}`;
    return printableLine(`${drift.unit ?? "the whole set"}${machine}: ${why(drift)}`);
  });
  const more = planned.drift.length - lines.length;
  return [
    ...stoppedReleaseLines(planned).map((line) => line.slice(2)),
    ...lines,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function why({ because }: Drift): string {
  switch (because.code) {
    case "blocked":
      return `${because.problem}: ${because.detail}`;
    case "changed-by-hand":
      return driftText(because);
    case "not-running":
      return `is ${because.active} (${because.sub})`;
    default:
      return because.code.replaceAll("-", " ");
  }
}

function issueText(planned: Planned, findings: readonly string[], runUrl: string | null): string {
  const plan =
    planned.plan.changes.length === 0 ? "" : planMarkdown(planned, changedUnits(planned), { bytesMax: PLAN_BYTES_MAX });
  const drift =
    findings.length === 0
      ? ""
      : `### Not as the release in force has it\n\n${findings.map((line) => `- ${markdownText(line)}`).join("\n")}\n`;
  const run =
    runUrl === null ? "" : `\n<sub>found by [this run](${runUrl}); closed by the first run that finds nothing</sub>\n`;
  return [plan, drift, run].filter((part) => part !== "").join("\n");
}
