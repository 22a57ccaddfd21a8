import { readFileSync } from "node:fs";
import type { BranchHead } from "./forge.ts";
import type { Runner } from "./runner.ts";

export interface GitHubEvent {
  /** `owner/name`, or null outside of GitHub. */
  readonly repository: string | null;
  readonly serverUrl: string;
  /** What the run is about: a pull request's merge with its base, or what was pushed. */
  readonly sha: string;
  /** What says whom to trust: the branch a pull request is to be merged into; else the same as `sha`. */
  readonly baseSha: string;
  /** Of a push: the branch. */
  readonly branch: string | null;
  readonly actor: string;
  readonly runUrl: string | null;
  /** The pull request the event itself is about. */
  readonly pullRequest: PullRequest | null;
  /** What the run was about that this one follows (`workflow_run`): of a fork's pull request the payload has no number. */
  readonly runHead: BranchHead | null;
}

export interface PullRequest {
  readonly number: number;
  /** From another repository: then the run's token may only read. */
  readonly isFork: boolean;
  /** Of its branch; a commit status on the merge with its base is shown nowhere. Null where the payload does not say. */
  readonly headSha: string | null;
}

/** The largest payloads there are have 25 MB; nobody of whom we want to know anything sends one. */
const PAYLOAD_BYTES_MAX = 32 << 20;

/** From the runner's variables and the event's payload; what is missing or malformed is null, as outside of GitHub. */
export function readEvent(runner: Runner): GitHubEvent {
  const of = (name: string) => runner.variable(name) ?? "";
  const repository = /^[\w.-]+\/[\w.-]+$/.test(of("GITHUB_REPOSITORY")) ? of("GITHUB_REPOSITORY") : null;
  const serverUrl = (of("GITHUB_SERVER_URL") || "https://github.com").replace(/\/+$/, "");
  const payload = payloadAt(of("GITHUB_EVENT_PATH"));
  const run = /^\d+$/.test(of("GITHUB_RUN_ID")) ? of("GITHUB_RUN_ID") : null;
  return {
    repository,
    serverUrl,
    sha: of("GITHUB_SHA"),
    baseSha: baseOf(payload) ?? of("GITHUB_SHA"),
    branch: /^refs\/heads\/(.+)$/.exec(of("GITHUB_REF"))?.[1] ?? null,
    actor: of("GITHUB_ACTOR") || "github",
    runUrl: repository === null || run === null ? null : `${serverUrl}/${repository}/actions/runs/${run}`,
    pullRequest: pullRequestOf(payload),
    runHead: runHeadOf(payload),
  };
}

function payloadAt(path: string): unknown {
  if (path === "") return null;
  try {
    const text = readFileSync(path);
    return text.length > PAYLOAD_BYTES_MAX ? null : JSON.parse(text.toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && "code" in error)) return null;
    throw error;
  }
}

interface Payload {
  readonly pull_request?: {
    readonly number?: unknown;
    readonly head?: Side;
    readonly base?: Side;
  } | null;
  readonly workflow_run?: {
    readonly event?: unknown;
    readonly head_sha?: unknown;
    readonly head_branch?: unknown;
    readonly head_repository?: { readonly owner?: { readonly login?: unknown } } | null;
  } | null;
  readonly merge_group?: { readonly base_sha?: unknown } | null;
}

interface Side {
  readonly sha?: unknown;
  readonly repo?: { readonly full_name?: unknown } | null;
}

const SHA = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** A pull request without one, or with another thing in its place, trusts nobody. */
function baseOf(payload: unknown): string | null {
  const { pull_request, merge_group } = (payload ?? {}) as Payload;
  if (pull_request == null && merge_group == null) return null;
  return shaOf(pull_request?.base?.sha ?? merge_group?.base_sha) ?? "";
}

function shaOf(value: unknown): string | null {
  return typeof value === "string" && SHA.test(value) ? value : null;
}

function runHeadOf(payload: unknown): BranchHead | null {
  const run = (payload as Payload | null)?.workflow_run;
  const sha = shaOf(run?.head_sha);
  const owner = run?.head_repository?.owner?.login;
  const branch = run?.head_branch;
  if (run?.event !== "pull_request" || sha === null || typeof owner !== "string" || typeof branch !== "string")
    return null;
  return { owner, branch, sha };
}

function pullRequestOf(payload: unknown): PullRequest | null {
  const pull = (payload as Payload | null)?.pull_request;
  if (typeof pull?.number !== "number" || !Number.isSafeInteger(pull.number) || pull.number < 1) return null;
  // A fork that was deleted has no repository.
  const isFork = pull.head?.repo?.full_name !== pull.base?.repo?.full_name;
  return { number: pull.number, isFork, headSha: shaOf(pull.head?.sha) };
}
