import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const ACTION = parse(readFileSync(new URL("../../action.yml", import.meta.url), "utf8")) as {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>;
};

export type RunEvent = "pull_request" | "fork" | "push" | "schedule" | "merge_group" | "workflow_run";

export interface RunnerStep {
  /** Above the step's own folder. */
  readonly above: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly event: RunEvent;
  /** Of the pull request the event is about. */
  readonly number: number;
  readonly sha: string;
  /** What a pull request is to be merged into, and its branch. */
  readonly baseSha: string;
  readonly headSha: string;
  readonly workspace: string;
  readonly apiUrl: string;
}

/** Where a runner reads what a step says. */
export interface RunFiles {
  readonly folder: string;
  readonly output: string;
  readonly summary: string;
  readonly event: string;
}

/** What a runner sets for a step: the inputs with the defaults of `action.yml`, files to write to, and the event's payload. */
export function runnerEnvironment(step: RunnerStep): { env: Record<string, string>; files: RunFiles } {
  const { event, number, workspace, apiUrl } = step;
  const folder = mkdtempSync(join(step.above, "run-"));
  const files = {
    folder,
    output: join(folder, "output"),
    summary: join(folder, "summary"),
    event: join(folder, "event.json"),
  };
  for (const path of [files.output, files.summary]) writeFileSync(path, "");
  writeFileSync(files.event, JSON.stringify(payload(step)));
  const defaults = Object.entries(ACTION.inputs).map(([name, { default: fallback = "" }]) => [name, fallback] as const);
  const inputs = { ...Object.fromEntries(defaults), "github-token": "canary-of-the-token", ...step.inputs };
  return {
    files,
    env: {
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value])),
      ...{ CI: "true", GITHUB_ACTIONS: "true", RUNNER_OS: "Linux", RUNNER_TEMP: folder },
      ...{ GITHUB_OUTPUT: files.output, GITHUB_STEP_SUMMARY: files.summary, GITHUB_EVENT_PATH: files.event },
      GITHUB_EVENT_NAME: event === "fork" ? "pull_request" : event,
      GITHUB_REPOSITORY: "acme/infra",
      GITHUB_SHA: step.sha,
      GITHUB_REF: event === "pull_request" || event === "fork" ? `refs/pull/${number}/merge` : "refs/heads/main",
      ...{ GITHUB_ACTOR: "alice", GITHUB_RUN_ID: "99", GITHUB_RUN_ATTEMPT: "1" },
      ...{ GITHUB_WORKSPACE: workspace, GITHUB_SERVER_URL: "https://github.example" },
      ...{ GITHUB_API_URL: apiUrl, GITHUB_GRAPHQL_URL: `${apiUrl}/graphql` },
    },
  };
}

function payload({ event, number, baseSha, headSha }: RunnerStep): object {
  if (event === "workflow_run") {
    const head_repository = { full_name: "mallory/infra", owner: { login: "mallory" } };
    return { workflow_run: { event: "pull_request", head_sha: headSha, head_branch: "evil", head_repository } };
  }
  if (event === "merge_group") return { merge_group: { base_sha: baseSha } };
  if (event !== "pull_request" && event !== "fork") return {};
  const of = (full_name: string, sha: string) => ({ sha, repo: { full_name } });
  const from = event === "fork" ? "mallory/infra" : "acme/infra";
  return { pull_request: { number, head: of(from, headSha), base: of("acme/infra", baseSha) } };
}
