import { commitFromFlags, validateFromFlags } from "../cli/plan-from-flags.ts";
import { RejectedCommit } from "../cli/report-error.ts";
import { diagnosticCounts, diagnosticsText } from "../cli/views/diagnostics-text.ts";
import { markdownFence } from "../cli/views/markdown-text.ts";
import { printableLine } from "../cli/views/printable.ts";
import { allAsExpected, testsText } from "../cli/views/tests-text.ts";
import { validText } from "../cli/views/validation-text.ts";
import { testCommit } from "../usecases/test-commit.ts";
import { annotateDiagnostics, type Ending, type Step } from "./step.ts";

/** Compiles the commit that is checked out; every finding becomes an annotation. Needs no cluster. */
export async function validateStep(step: Step): Promise<Ending> {
  const { commit, spec, diagnostics, valid } = await validateFromFlags(step.composition, "HEAD", false);
  await annotateDiagnostics(step, diagnostics);
  step.runner.output("commit", commit);
  if (diagnostics.length > 0) step.runner.log(diagnosticsText(diagnostics));
  const line = spec === null ? diagnosticCounts(diagnostics) : validText(spec, commit, diagnostics);
  step.runner.log(line);
  summarize(step, line);
  const summary = printableLine(line);
  return valid
    ? { exitCode: 0, stepCode: 0, summary, failureReason: null }
    : { exitCode: 1, stepCode: 1, summary, failureReason: "validation" };
}

/** Judges the expectations in `tests/*.yaml`. Needs no cluster. */
export async function testStep(step: Step): Promise<Ending> {
  const { composition, inputs, runner } = step;
  const [source, commit] = [await composition.repository(), await commitFromFlags(composition, "HEAD")];
  const compile = await composition.compiler(source);
  const tested = await testCommit({
    commit,
    source,
    manifestPath: inputs.manifest,
    compile,
    sha256: composition.sha256,
  });
  if (tested.kind === "rejected") throw new RejectedCommit(tested.diagnostics);
  await annotateDiagnostics(
    step,
    tested.files.flatMap(({ diagnostics }) => diagnostics),
  );
  runner.output("commit", commit);
  const text = testsText(tested.files);
  runner.log(text);
  summarize(step, text);
  const summary = printableLine(text.trimEnd().split("\n").at(-1)!);
  return allAsExpected(tested.files)
    ? { exitCode: 0, stepCode: 0, summary, failureReason: null }
    : { exitCode: 1, stepCode: 1, summary, failureReason: "tests" };
}

function summarize({ runner, inputs }: Step, text: string): void {
  const fence = markdownFence(text);
  if (inputs.stepSummary) runner.summary(`${fence}text\n${text}\n${fence}`);
}
