import { rmSync } from "node:fs";
import { errorText, RejectedCommit } from "../cli/report-error.ts";
import { printable } from "../cli/views/printable.ts";
import { OperationError } from "../ports/operation-error.ts";
import { readInputs } from "./action-inputs.ts";
import type { CommandName } from "./action-interface.ts";
import { applyStep } from "./apply-step.ts";
import { approveStep } from "./approve-step.ts";
import { checkStep } from "./check-step.ts";
import { postStatus } from "./commit-status.ts";
import { readEvent } from "./github-event.ts";
import { planStep } from "./plan-step.ts";
import { Runner, type Surroundings } from "./runner.ts";
import { annotateDiagnostics, type Ending, openStep, type Step, withPullRequest } from "./step.ts";
import { testStep, validateStep } from "./validate-step.ts";

const STEPS: Readonly<Record<CommandName, (step: Step) => Promise<Ending>>> = {
  plan: planStep,
  apply: applyStep,
  approve: approveStep,
  check: checkStep,
  validate: validateStep,
  test: testStep,
};

/** One step of a workflow: inputs, one command, outputs. Returns how the step ends, and never rejects. */
export async function runAction(surroundings: Surroundings): Promise<number> {
  const runner = new Runner(surroundings);
  const ending = await perform(runner);
  runner.endAnnotations();
  runner.output("exitcode", `${ending.exitCode}`);
  runner.output("summary", ending.summary);
  runner.output("failure-reason", ending.failureReason ?? "");
  runner.output("warnings", runner.warnings.join("\n"));
  return ending.stepCode;
}

async function perform(runner: Runner): Promise<Ending> {
  let step: Step | null = null;
  try {
    for (const secret of ["github-token", "etcd-key", "signing-key"] as const) runner.mask(runner.input(secret));
    const inputs = readInputs(runner);
    step = await openStep(runner, inputs, readEvent(runner));
    step = { ...step, event: await withPullRequest(step) };
    return await told(step, await STEPS[inputs.command](step));
  } catch (error) {
    return told(step, await failed(runner, step, error));
  } finally {
    await step?.composition.close();
    for (const name of ["etcd-cafile", "etcd-certfile", "etcd-keyfile", "signing-key"])
      if (step !== null) rmSync(`${step.folder}/${name}.pem`, { force: true });
  }
}

/** Beside the commit too, where the workflow wants that. */
async function told(step: Step | null, ending: Ending): Promise<Ending> {
  if (step?.inputs.status) await postStatus(step, ending);
  return ending;
}

async function failed(runner: Runner, step: Step | null, error: unknown): Promise<Ending> {
  const text = errorText(error);
  runner.log(text);
  if (error instanceof RejectedCommit && step !== null) {
    await annotateDiagnostics(step, error.diagnostics);
    if (step.inputs.stepSummary) runner.summary(`### The commit is not acceptable\n\n${indented(text)}`);
    return { exitCode: 1, stepCode: 1, summary: text.split("\n").at(-1)!, failureReason: "validation" };
  }
  const [summary = ""] = text.split("\n");
  const failureReason = error instanceof OperationError ? error.code : "internal";
  runner.annotate("error", printable(error instanceof OperationError ? text : summary), { title: failureReason });
  return { exitCode: 1, stepCode: 1, summary, failureReason };
}

/** A block that needs no fence, and that nothing in it can end. */
function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
