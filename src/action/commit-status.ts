import { printableLine } from "../cli/views/printable.ts";
import { DESCRIPTION_MAX } from "../domain/notify/convergence-status.ts";
import { OperationError } from "../ports/operation-error.ts";
import { CommitFiles } from "../usecases/commit-files.ts";
import { type Ending, type Step, tryForge } from "./step.ts";

/**
 * Says beside the commit what a command came to, as `fleet/<cluster>/<command>`: of a pull request on its branch's last commit, for on the
 * merge with its base nobody would see it. Two clusters of one repository have a context each. What GitHub refuses is a warning.
 */
export async function postStatus(step: Step, { stepCode, summary }: Ending): Promise<void> {
  const { runner, inputs, event, forge } = step;
  if (forge === null) return runner.warn("no commit status was posted: github-token is empty");
  const label = inputs.label === "" ? "" : `/${inputs.label}`;
  const context = `fleet/${await clusterOf(step)}/${inputs.command}${label}`;
  const line = printableLine(summary);
  const description = line.length > DESCRIPTION_MAX ? `${line.slice(0, DESCRIPTION_MAX - 1)}…` : line;
  const state = stepCode === 0 ? "success" : "failure";
  const sha = event.pullRequest?.headSha ?? event.sha;
  await tryForge(step, "no commit status was posted", () =>
    forge.createStatus(sha, {
      state,
      context,
      description,
      ...(event.runUrl === null ? {} : { target_url: event.runUrl }),
    }),
  );
}

/** By the manifest alone, so that a commit with a unit that is wrong has the same context; the manifest's path where that is wrong itself. */
async function clusterOf({ composition, inputs }: Step): Promise<string> {
  try {
    const repository = await composition.repository();
    const head = await repository.resolve("HEAD");
    const opened = head === null ? null : await new CommitFiles(repository, inputs.manifest).open(head);
    return opened?.manifest?.cluster.value ?? inputs.manifest;
  } catch (error) {
    // What cannot be read has been said already, by the command.
    if (error instanceof OperationError) return inputs.manifest;
    throw error;
  }
}
