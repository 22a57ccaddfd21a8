import { writeFileSync } from "node:fs";
import { diskError } from "../adapters/files/disk-error.ts";
import { planExitCode } from "../cli/plan-exit-code.ts";
import { changedUnits, type Planned, planFromFlags } from "../cli/plan-from-flags.ts";
import { RejectedCommit } from "../cli/report-error.ts";
import { diagnosticCounts, diagnosticsText } from "../cli/views/diagnostics-text.ts";
import { diffText } from "../cli/views/diff-text.ts";
import { markdownText } from "../cli/views/markdown-text.ts";
import { planJson } from "../cli/views/plan-json.ts";
import { headline } from "../cli/views/plan-lines.ts";
import { planMarkdown, TRUNCATED } from "../cli/views/plan-markdown.ts";
import { planText } from "../cli/views/plan-text.ts";
import { printableLine } from "../cli/views/printable.ts";
import { whatIfText } from "../cli/views/what-if-text.ts";
import { encodePlan } from "../codec/plan/encode-plan.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import { OperationError } from "../ports/operation-error.ts";
import { whyReplaced } from "../usecases/refuse-replaced.ts";
import { changeLines } from "./change-lines.ts";
import type { ReviewMarker } from "./marker.ts";
import { type ReviewText, writeReview } from "./review-comment.ts";
import { annotateDiagnostics, type Ending, inWorkspace, keepFile, type Step, stateAge, tryForge } from "./step.ts";

/** A comment has 65,536 characters: this leaves room for the marker, and for the result that an apply writes above. */
const COMMENT_BYTES_MAX = 54_000;
/** Below it a line says where the rest is. */
const FOOTER_BYTES_MAX = 1_000;
/** Findings in a comment that no plan could be made. */
const FINDINGS_BYTES_MAX = 20_000;

/** What a commit cannot be read for: nobody else can mend it, and its pull request says so. */
const OF_THE_COMMIT: readonly string[] = ["tree-name-refused", "tree-too-large", "blob-too-large"];

/** Plans the commit that is checked out, tells it everywhere, and is green whatever it changes. */
export async function planStep(step: Step): Promise<Ending> {
  const { runner, inputs, composition } = step;
  let planned: Planned;
  try {
    planned = await planFromFlags(composition, "HEAD", { eachLost: inputs.eachLost });
  } catch (error) {
    if (error instanceof RejectedCommit) await reviewRejected(step, error.diagnostics);
    if (error instanceof OperationError && OF_THE_COMMIT.includes(error.code)) {
      await reviewRejected(step, [{ severity: "error", code: error.code, saw: error.message }]);
    }
    throw error;
  }
  await annotateDiagnostics(step, planned.diagnostics);
  const replaced = whyReplaced(planned.snapshot);
  if (replaced !== null) runner.warn(`${replaced}; this cannot be applied`);
  for (const { key, problem } of planned.quarantined)
    runner.warn(`the record ${key} cannot be read (${problem}) and is left alone`);
  showPlan(step, planned);
  keepPlan(step, planned);
  const age = await stateAge(step);
  if (age !== null) runner.log(age);
  const isWritten = await reviewPlan(step, planned, age);
  if (inputs.stepSummary || !isWritten) {
    runner.summary(planMarkdown(planned, changedUnits(planned), { bytesMax: runner.summaryLeft - FOOTER_BYTES_MAX }));
    if (age !== null) runner.summary(markdownText(age));
  }
  return planEnding(step, planned);
}

/** The plan in the log, as a terminal shows it. */
export function showPlan({ runner, inputs }: Step, planned: Planned): void {
  if (planned.diagnostics.length > 0) runner.log(diagnosticsText(planned.diagnostics));
  runner.log(planText(planned));
  if (inputs.eachLost && planned.whatIf.length > 0) runner.log(whatIfText(planned.whatIf, planned.plan.machines));
  const differences = diffText(changedUnits(planned));
  if (differences !== "") runner.group("Differences, as systemd reads the units", differences);
}

/** The plan's files and what can be said of it in a word. */
export function keepPlan(step: Step, planned: Planned): void {
  const { runner, inputs } = step;
  const { plan, revision, verdict, drift } = planned;
  const { actions, effects } = plan.counts;
  const path = inputs.out === null ? keepFile(step, "plan.json", encodePlan(plan)) : inWorkspace(runner, inputs.out);
  if (inputs.out !== null) writeOut(path, encodePlan(plan));
  runner.output("plan-path", path);
  runner.output(
    "json-plan-path",
    keepFile(step, "plan-report.json", `${JSON.stringify(planJson(planned), null, 2)}\n`),
  );
  runner.output("text-plan-path", keepFile(step, "plan.txt", `${planText(planned)}\n`));
  runner.output("plan-id", plan.planId);
  runner.output("content-id", plan.contentId);
  runner.output("commit", plan.commit);
  runner.output("registry-revision", `${revision}`);
  runner.output("changes", String(plan.changes.length + plan.unknown.length > 0));
  runner.output("to-add", `${actions.add + actions.adopt}`);
  runner.output("to-change", `${actions.change}`);
  runner.output("to-remove", `${actions.remove}`);
  runner.output("to-move", `${actions.move}`);
  runner.output("to-restart", `${effects.restart}`);
  const loss = verdict?.loss ?? null;
  if (loss !== null) runner.output("survives-loss", String(loss.every(({ down }) => down.length === 0)));
  runner.output("drift", `${drift.length}`);
}

/** One line: what the plan amounts to. */
export function planLine({ plan }: Planned): string {
  const changed = plan.changes.length + plan.unplaced.length + plan.unknown.length > 0;
  const what = plan.unknown.length > 0 ? `${plan.unknown.length} to run, on machines nobody knows yet` : headline(plan);
  return printableLine(`${plan.cluster}: ${changed ? what : "no changes"}`);
}

function writeOut(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw diskError("write", path, error);
  }
}

function planEnding({ inputs }: Step, planned: Planned): Ending {
  const exitCode = planExitCode(planned, true);
  const summary = planLine(planned);
  if (exitCode === 1) return { exitCode, stepCode: 1, summary, failureReason: whyRed(planned) };
  const asked = inputs.detailedExitCode ? exitCode : inputs.failOnChanges && exitCode !== 0 ? 1 : 0;
  return { exitCode, stepCode: asked, summary, failureReason: asked === 0 ? null : "changes" };
}

function whyRed({ newlyUnplaceable, plan }: Planned): string {
  if (newlyUnplaceable.length > 0) return "unplaceable";
  return plan.refusals.length > 0 ? "budget" : "n-1";
}

/** Whether the pull request shows it, where there is one. */
async function reviewPlan(step: Step, planned: Planned, age: string | null): Promise<boolean> {
  const { plan } = planned;
  const page = planMarkdown(planned, changedUnits(planned), { bytesMax: COMMENT_BYTES_MAX });
  const head = page.split("\n", 1)[0]!;
  return review(step, {
    marker: {
      ...{
        contentId: plan.contentId,
        clusterId: plan.clusterId,
        commit: plan.commit,
        truncated: page.endsWith(TRUNCATED),
      },
      changes: changeLines(plan),
    },
    text: `${page}${age === null ? "" : `\n${markdownText(age)}\n`}`,
    shortText: `${head}\n${TRUNCATED}`,
    changes: plan.changes.length + plan.unknown.length + plan.unplaced.length > 0,
  });
}

/** A comment that showed the plan of the commit before must not stand there as if it were this one's. */
async function reviewRejected(step: Step, diagnostics: readonly Diagnostic[]): Promise<void> {
  const head = `### ${markdownText(`${step.inputs.manifest}: ${diagnosticCounts(diagnostics)}`)}`;
  const lines: string[] = [head, "", "This commit cannot be planned.", ""];
  let bytes = 0;
  for (const { severity, at, saw, code } of diagnostics) {
    const place =
      at === undefined ? "" : `${[at.path, at.line, at.column].filter((part) => part !== undefined).join(":")}: `;
    const line = `- ${severity}: ${markdownText(`${place}${saw}`)} \`${code}\``;
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > FINDINGS_BYTES_MAX) {
      lines.push("- and more: the log has all of them");
      break;
    }
    lines.push(line);
  }
  const text = `${lines.join("\n")}\n`;
  const commit = step.event.sha;
  const marker = { contentId: null, clusterId: null, commit, truncated: false, changes: null };
  await review(step, { marker, text, shortText: `${head}\n`, changes: true });
}

async function review(
  step: Step,
  page: Omit<ReviewText, "marker"> & { readonly marker: Omit<ReviewMarker, "manifest" | "label" | "closed"> },
): Promise<boolean> {
  const { forge, event, inputs, runner } = step;
  const { comment: mode, manifest, label } = inputs;
  const number = event.pullRequest?.number;
  if (mode === "false" || number === undefined) return false;
  if (forge === null) {
    runner.warn("the pull request was not commented on: github-token is empty");
    return false;
  }
  const footer = footerOf(step);
  const written = await tryForge(step, "the pull request was not commented on", async () => ({
    comment: await writeReview(forge, number, mode, {
      ...page,
      marker: { ...page.marker, manifest, label, closed: false },
      text: `${page.text}${footer}`,
      shortText: `${page.shortText}${footer}`,
    }),
  }));
  if (written?.comment != null) runner.output("comment-url", written.comment.url);
  return written !== null;
}

function footerOf({ event, inputs }: Step): string {
  const label = inputs.label === "" ? "" : ` of ${markdownText(inputs.label)}`;
  const run = event.runUrl === null ? "" : `, [the run](${event.runUrl}) has the whole plan`;
  return `\n<sub>plan${label} for ${markdownText(event.actor)}${run}</sub>\n`;
}
