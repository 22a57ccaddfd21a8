import { mkdirSync, mkdtempSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { type Composition, compose } from "../cli/composition.ts";
import { stateAgeText } from "../cli/open-state.ts";
import { printable } from "../cli/views/printable.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ActionInputs } from "./action-inputs.ts";
import { Forge } from "./forge.ts";
import type { GitHubEvent } from "./github-event.ts";
import { RestClient } from "./rest-client.ts";
import type { Runner } from "./runner.ts";
import { openSignedState } from "./signed-state.ts";

/** What a command of the action works with. */
export interface Step {
  readonly runner: Runner;
  readonly inputs: ActionInputs;
  readonly event: GitHubEvent;
  readonly composition: Composition;
  /** Null without a repository on GitHub or without a token. */
  readonly forge: Forge | null;
  /** Of this step alone, below the runner's own folder for such. */
  readonly folder: string;
  /** Whose engine signed the state that is planned against; null where it is another registry. */
  readonly stateSigner: string | null;
}

/** What a command came to. */
export interface Ending {
  /** As `fleet` would have ended with `--detailed-exitcode`. */
  readonly exitCode: number;
  /** How the step ends: 0 is green. */
  readonly stepCode: number;
  /** One line. */
  readonly summary: string;
  readonly failureReason: string | null;
}

/** Whoever opens a step closes its composition. */
export async function openStep(runner: Runner, inputs: ActionInputs, event: GitHubEvent): Promise<Step> {
  const folder = mkdtempSync(join(runner.variable("RUNNER_TEMP") || tmpdir(), "fleet-"));
  const directory = workingDirectory(runner, inputs.workingDirectory);
  const pathOf = (path: string) => inWorkspace(runner, path);
  const state =
    inputs.state === null ? null : await openSignedState({ runner, inputs, event, directory, pathOf }, inputs.state);
  if (state !== null) writeFileSync(join(folder, STATE_FILE), state.text);
  const named = state === null ? inputs.registry : `file:${join(folder, STATE_FILE)}`;
  const composition = await compose({
    directory,
    manifest: inputs.manifest,
    registry: named.replace(/^file:(.*)$/s, (_, path: string) => `file:${inWorkspace(runner, path)}`),
    source: inputs.source,
    branch: inputs.branch,
    addressOf: (source) => withToken(source, event.serverUrl, inputs.token),
    ...etcdFiles(inputs, folder),
  });
  const { repository } = event;
  const apiUrl = runner.variable("GITHUB_API_URL") || "https://api.github.com";
  const graphqlUrl = runner.variable("GITHUB_GRAPHQL_URL") || "https://api.github.com/graphql";
  const { clock } = composition;
  const forge =
    repository === null || inputs.token === ""
      ? null
      : new Forge(new RestClient({ apiUrl, graphqlUrl, token: inputs.token, clock }), repository);
  return { runner, inputs, event, composition, forge, folder, stateSigner: state?.signer ?? null };
}

/**
 * A run that follows one of a fork's pull request, with a token that may comment: it plans the fork's commit as data, and the comment goes
 * where that commit is. Anything else that is checked out would be shown as if it were.
 */
export async function withPullRequest(step: Step): Promise<GitHubEvent> {
  const { event, forge, composition, runner } = step;
  const { runHead } = event;
  if (runHead === null || event.pullRequest !== null || forge === null) return event;
  const head = await (await composition.repository()).resolve("HEAD");
  if (head !== runHead.sha) {
    throw new OperationError(
      "usage",
      `checked out is ${head?.slice(0, 7)}, and the run before was about ${runHead.sha.slice(0, 7)}`,
      {
        next: "check out with ref: github.event.workflow_run.head_sha",
      },
    );
  }
  const number = await tryForge(step, "its pull request was not looked for", () => forge.openPullRequest(runHead));
  if (number !== null) return { ...event, pullRequest: { number, isFork: true, headSha: runHead.sha } };
  runner.warn("there is no open pull request at this commit any more: nothing is commented on");
  return event;
}

/** A verified state, in the step's folder. */
const STATE_FILE = "cluster.state";

/** A path of the workflow's: from the workspace, into which the repository was checked out. */
export function inWorkspace(runner: Runner, path: string): string {
  return resolve(runner.variable("GITHUB_WORKSPACE") || ".", path);
}

/** A folder that is not there would be looked for in the one above, which may well be a repository. */
function workingDirectory(runner: Runner, given: string): string {
  const directory = inWorkspace(runner, given);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return directory;
  throw new OperationError("no-working-directory", `there is no folder ${given} in the workspace`, {
    next: "check the repository out first (actions/checkout), and name its folder in working-directory",
  });
}

/** The forge's own token fetches from the forge, and goes nowhere else. */
function withToken(source: string, serverUrl: string, token: string): string {
  if (token === "" || !URL.canParse(source) || !URL.canParse(serverUrl)) return source;
  const url = new URL(source);
  if (url.origin !== new URL(serverUrl).origin || url.username !== "") return source;
  url.username = "x-access-token";
  url.password = token;
  return url.href;
}

/** Secrets come as texts, and etcd's client reads files. */
function etcdFiles({ etcd }: ActionInputs, folder: string): Readonly<Record<string, string>> {
  const files = Object.entries({ "etcd-cafile": etcd.ca, "etcd-certfile": etcd.cert, "etcd-keyfile": etcd.key });
  return Object.fromEntries(
    files
      .filter(([, text]) => text !== "")
      .map(([flag, text]) => {
        const path = join(folder, `${flag}.pem`);
        writeFileSync(path, `${text}\n`, { mode: 0o600 });
        return [flag, path];
      }),
  );
}

/** That the cluster was not asked, but a file; null where it was. */
export async function stateAge({ composition, stateSigner }: Step): Promise<string | null> {
  const nameOf = stateSigner === null ? undefined : () => `the engine of ${stateSigner}`;
  return stateAgeText(await composition.registry(), composition.clock.wallMs(), nameOf);
}

/** Writes a file of the step's own; where it is. */
export function keepFile({ folder }: Step, name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Findings on the lines of the diff they are about, worst first: a runner shows only some. */
export async function annotateDiagnostics(
  { runner, composition }: Step,
  diagnostics: readonly Diagnostic[],
): Promise<void> {
  const prefix = repositoryPrefix(runner, (await composition.repository()).worktree);
  const levels = { error: "error", warning: "warning", info: "notice" } as const;
  for (const severity of ["error", "warning", "info"] as const) {
    for (const { code, at, saw, expected, next } of diagnostics.filter((one) => one.severity === severity)) {
      const hints = [
        ...(expected === undefined ? [] : [`expected: ${expected}`]),
        ...(next === undefined ? [] : [`next: ${next}`]),
      ];
      const place = { file: at === undefined ? undefined : `${prefix}${at.path}`, line: at?.line, col: at?.column };
      runner.annotate(levels[severity], printable([saw, ...hints].join("\n")), { title: code, ...place });
    }
  }
  runner.endAnnotations();
}

/** Annotations name files from the workspace, diagnostics from the repository, which may be in a folder of it. */
function repositoryPrefix(runner: Runner, worktree: string | null): string {
  const workspace = runner.variable("GITHUB_WORKSPACE");
  if (worktree === null || workspace === undefined || workspace === "") return "";
  const path = relative(realpathSync(workspace), realpathSync(worktree));
  return path === "" || path.startsWith("..") ? "" : `${path}/`;
}

/** What the forge refuses is said, and fails nothing: the plan is in the summary, in the outputs and in the log. Null: refused. */
export async function tryForge<T>({ runner }: Step, what: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OperationError) || !error.code.startsWith("forge-")) throw error;
    const next = error.next === undefined ? "" : `; ${error.next}`;
    runner.warn(printable(`${what}: ${error.message}${next}`));
    return null;
  }
}
