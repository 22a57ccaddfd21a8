import { OperationError } from "../ports/operation-error.ts";
import type { RestClient } from "./rest-client.ts";

/** A comment, or an issue: both have a text that somebody wrote. */
export interface Written {
  /** What the API calls it: an issue's is its number. */
  readonly id: number;
  readonly nodeId: string;
  readonly body: string;
  readonly url: string;
  readonly login: string;
}

export interface MergedPullRequest {
  readonly number: number;
  readonly base: string;
  readonly mergedAt: string | null;
  readonly mergeCommit: string | null;
}

/** The last commit of a branch of a repository, perhaps a fork. */
export interface BranchHead {
  readonly owner: string;
  readonly branch: string;
  readonly sha: string;
}

/** Who an action's own token speaks as, where the token may not ask. */
const ACTIONS_BOT = "github-actions[bot]";

/** What the action needs of one repository on GitHub. Errors are RestClient's. */
export class Forge {
  readonly #client: RestClient;
  readonly #root: string;
  #login: Promise<string> | null = null;

  /** `repository`: `owner/name`. */
  constructor(client: RestClient, repository: string) {
    this.#client = client;
    this.#root = `/repos/${repository}`;
  }

  /** Of these only what the token's own user wrote: anybody can write a comment that looks like ours. */
  async isOwn({ login }: Written): Promise<boolean> {
    this.#login ??= this.#askLogin();
    return plain(login) === plain(await this.#login);
  }

  async #askLogin(): Promise<string> {
    try {
      const { viewer } = (await this.#client.graphql("query { viewer { login } }", {})) as {
        viewer?: { login?: unknown };
      };
      return typeof viewer?.login === "string" ? viewer.login : ACTIONS_BOT;
    } catch (error) {
      if (error instanceof OperationError) return ACTIONS_BOT;
      throw error;
    }
  }

  /** Of an issue or a pull request, oldest first, from all pages. */
  comments(number: number): Promise<Written[]> {
    return this.#written(`${this.#root}/issues/${number}/comments`, "id");
  }

  /** Open ones without pull requests. */
  openIssues(): Promise<Written[]> {
    return this.#written(`${this.#root}/issues?state=open`, "number");
  }

  async createComment(number: number, body: string): Promise<Written> {
    return written(await this.#client.request("POST", `${this.#root}/issues/${number}/comments`, { body }), "id");
  }

  async updateComment(id: number, body: string): Promise<Written> {
    return written(await this.#client.request("PATCH", `${this.#root}/issues/comments/${id}`, { body }), "id");
  }

  async createIssue(title: string, body: string): Promise<Written> {
    return written(await this.#client.request("POST", `${this.#root}/issues`, { title, body }), "number");
  }

  async updateIssue(
    number: number,
    change: { title?: string; body?: string; state?: "closed"; state_reason?: "completed" },
  ) {
    return written(await this.#client.request("PATCH", `${this.#root}/issues/${number}`, change), "number");
  }

  /** Beside the commit; of one context the newest counts. */
  async createStatus(
    sha: string,
    status: { state: "success" | "failure"; context: string; description: string; target_url?: string },
  ): Promise<void> {
    await this.#client.request("POST", `${this.#root}/statuses/${encodeURIComponent(sha)}`, status);
  }

  /** The number of the open pull request from that branch of that owner's, at that commit; null: there is none, or it has moved on. */
  async openPullRequest({ owner, branch, sha }: BranchHead): Promise<number | null> {
    const from = encodeURIComponent(`${owner}:${branch}`);
    for await (const entry of this.#client.list(`${this.#root}/pulls?state=open&head=${from}`)) {
      const { number, head } = entry as { number?: unknown; head?: { sha?: unknown } };
      if (typeof number !== "number") throw unexpected("a pull request");
      if (head?.sha === sha) return number;
    }
    return null;
  }

  /** Folds it away as outdated. */
  async minimize({ nodeId }: Written): Promise<void> {
    const mutation =
      "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) { minimizedComment { isMinimized } } }";
    await this.#client.graphql(mutation, { id: nodeId });
  }

  /** Those that brought the commit, however they were merged. */
  async pullRequestsOf(sha: string): Promise<MergedPullRequest[]> {
    const found: MergedPullRequest[] = [];
    for await (const entry of this.#client.list(`${this.#root}/commits/${encodeURIComponent(sha)}/pulls`)) {
      const { number, base, merged_at, merge_commit_sha } = entry as Record<string, unknown>;
      const ref = (base as { ref?: unknown } | undefined)?.ref;
      if (typeof number !== "number" || typeof ref !== "string") throw unexpected("a pull request");
      found.push({
        ...{ number, base: ref },
        mergedAt: typeof merged_at === "string" ? merged_at : null,
        mergeCommit: typeof merge_commit_sha === "string" ? merge_commit_sha : null,
      });
    }
    return found;
  }

  async #written(path: string, id: "id" | "number"): Promise<Written[]> {
    const found: Written[] = [];
    for await (const entry of this.#client.list(path)) {
      if ((entry as { pull_request?: unknown } | null)?.pull_request === undefined) found.push(written(entry, id));
    }
    return found;
  }
}

function written(entry: unknown, id: "id" | "number"): Written {
  const { node_id, body, html_url, user, ...rest } = (entry ?? {}) as Record<string, unknown>;
  const { login } = (user ?? {}) as { login?: unknown };
  const found = rest[id];
  if (typeof found !== "number") throw unexpected(id === "id" ? "a comment" : "an issue");
  return {
    id: found,
    nodeId: typeof node_id === "string" ? node_id : "",
    body: typeof body === "string" ? body : "",
    url: typeof html_url === "string" ? html_url : "",
    // Of a user who is gone GitHub says nothing.
    login: typeof login === "string" ? login : "",
  };
}

/** REST calls an app `name[bot]`, GraphQL `name`. */
function plain(login: string): string {
  return login.replace(/\[bot\]$/, "").toLowerCase();
}

function unexpected(what: string): OperationError {
  return new OperationError("forge-malformed", `GitHub sent something else than ${what}`);
}
