import { readFileSync } from "node:fs";
import type { Runner } from "./runner.ts";

export interface GitHubEvent {
  /** `owner/name`, or null outside of GitHub. */
  readonly repository: string | null;
  readonly serverUrl: string;
  /** What the run is about: a pull request's merge with its base, or what was pushed. */
  readonly sha: string;
  /** Of a push: the branch. */
  readonly branch: string | null;
  readonly actor: string;
  readonly runUrl: string | null;
  /** The pull request the event itself is about. */
  readonly pullRequest: PullRequest | null;
}

export interface PullRequest {
  readonly number: number;
  /** From another repository: then the run's token may only read. */
  readonly isFork: boolean;
}

/** The largest payloads there are have 25 MB; nobody of whom we want to know anything sends one. */
const PAYLOAD_BYTES_MAX = 32 << 20;

/** From the runner's variables and the event's payload; what is missing or malformed is null, as outside of GitHub. */
export function readEvent(runner: Runner): GitHubEvent {
  const of = (name: string) => runner.variable(name) ?? "";
  const repository = /^[\w.-]+\/[\w.-]+$/.test(of("GITHUB_REPOSITORY")) ? of("GITHUB_REPOSITORY") : null;
  const serverUrl = (of("GITHUB_SERVER_URL") || "https://github.com").replace(/\/+$/, "");
  const run = /^\d+$/.test(of("GITHUB_RUN_ID")) ? of("GITHUB_RUN_ID") : null;
  return {
    repository,
    serverUrl,
    sha: of("GITHUB_SHA"),
    branch: /^refs\/heads\/(.+)$/.exec(of("GITHUB_REF"))?.[1] ?? null,
    actor: of("GITHUB_ACTOR") || "github",
    runUrl: repository === null || run === null ? null : `${serverUrl}/${repository}/actions/runs/${run}`,
    pullRequest: pullRequestOf(payloadAt(of("GITHUB_EVENT_PATH"))),
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
    readonly head?: { readonly repo?: { readonly full_name?: unknown } | null };
    readonly base?: { readonly repo?: { readonly full_name?: unknown } | null };
  } | null;
}

function pullRequestOf(payload: unknown): PullRequest | null {
  const pull = (payload as Payload | null)?.pull_request;
  if (typeof pull?.number !== "number" || !Number.isSafeInteger(pull.number) || pull.number < 1) return null;
  // A fork that was deleted has no repository.
  return { number: pull.number, isFork: pull.head?.repo?.full_name !== pull.base?.repo?.full_name };
}
