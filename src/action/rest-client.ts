import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";

export interface RestOptions {
  /** `https://api.github.com`, or a GitHub Enterprise's. */
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  readonly token: string;
  readonly clock: Clock;
}

/** One answer, of a server that hangs. Comments are answered in well under a second. */
const REQUEST_MS = 15_000;
const TRIES_MAX = 4;
/** A step that waits longer costs more than a comment is worth. */
const WAIT_MAX_MS = 60_000;
const BACKOFF_MS = 500;
/** A hundred comments of 65,536 characters, in any script. */
const ANSWER_BYTES_MAX = 32 << 20;
/** 5,000 comments: more are no conversation. */
const PAGES_MAX = 50;
const MESSAGE_MAX = 300;

/**
 * GitHub's REST and GraphQL over `fetch`: a limit on every call, and tries again only where the server says that it did nothing (429, a
 * rate limit's 403) or where doing it twice is harmless (GET, PATCH). Rejects with `forge-unauthorized`, `forge-forbidden`,
 * `forge-not-found`, `forge-unprocessable`, `forge-rate-limited`, `forge-unavailable` or `forge-malformed`.
 */
export class RestClient {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  async request(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<unknown> {
    return (await this.#send(method, `${this.#options.apiUrl}${path}`, body)).body;
  }

  /** Every entry of a list, page by page. */
  async *list(path: string): AsyncGenerator<unknown> {
    const separator = path.includes("?") ? "&" : "?";
    let url: string | null = `${this.#options.apiUrl}${path}${separator}per_page=100`;
    for (let page = 0; url !== null && page < PAGES_MAX; page++) {
      const answer: Answer = await this.#send("GET", url);
      if (!Array.isArray(answer.body)) throw malformed(url, "no list");
      yield* answer.body;
      url = this.#nextOf(answer.link);
    }
  }

  /** A query or an idempotent mutation: what failed is tried again. */
  async graphql(query: string, variables: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { body } = await this.#send("POST", this.#options.graphqlUrl, { query, variables }, true);
    const { data, errors } = (body ?? {}) as { data?: unknown; errors?: readonly { message?: unknown }[] };
    const [first] = Array.isArray(errors) ? errors : [];
    if (first === undefined) return data;
    throw new OperationError("forge-unprocessable", `GitHub refused a query: ${short(String(first.message))}`);
  }

  async #send(method: string, url: string, body?: object, isHarmlessTwice = method !== "POST"): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(method, url, body);
      if (outcome.kind === "answer") return outcome.answer;
      const { error, mayRepeat, waitMs } = outcome;
      const pauseMs = waitMs ?? BACKOFF_MS * 2 ** (attempt - 1);
      const isOver = attempt >= TRIES_MAX || pauseMs > WAIT_MAX_MS;
      if (isOver || mayRepeat === "never" || (mayRepeat === "if-harmless" && !isHarmlessTwice)) throw error;
      await this.#options.clock.sleep(pauseMs);
    }
  }

  async #try(method: string, url: string, body: object | undefined): Promise<Outcome> {
    const headers: Record<string, string> = {
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      "user-agent": "fleet-action",
      ...(this.#options.token === "" ? {} : { authorization: `Bearer ${this.#options.token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(REQUEST_MS);
      response = await fetch(url, {
        method,
        headers,
        signal,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await textOf(response);
    } catch (cause) {
      const error = new OperationError("forge-unavailable", `GitHub did not answer ${method} ${pathOf(url)}`, {
        cause,
      });
      return { kind: "failed", error, mayRepeat: "if-harmless", waitMs: null };
    }
    if (!response.ok) return this.#refusal(response, text, `${method} ${pathOf(url)}`);
    try {
      const parsed: unknown = text === "" ? null : JSON.parse(text);
      return { kind: "answer", answer: { body: parsed, link: response.headers.get("link") } };
    } catch {
      return { kind: "failed", error: malformed(url, "no JSON"), mayRepeat: "never", waitMs: null };
    }
  }

  #refusal({ status, headers }: Response, text: string, what: string): Outcome {
    const said = messageOf(text);
    const failed = (
      code: string,
      mayRepeat: Failure["mayRepeat"],
      next?: string,
      waitMs: number | null = null,
    ): Outcome => {
      const message = `GitHub answered ${what} with ${status}${said === "" ? "" : `: ${said}`}`;
      return {
        kind: "failed",
        error: new OperationError(code, message, next === undefined ? {} : { next }),
        mayRepeat,
        waitMs,
      };
    };
    if (status === 429 || (status === 403 && isRateLimit(headers, said)))
      return failed("forge-rate-limited", "always", "run again later", waitOf(headers, this.#options.clock.wallMs()));
    if (status === 401) return failed("forge-unauthorized", "never", "check github-token: it is wrong or has expired");
    if (status === 403)
      return failed(
        "forge-forbidden",
        "never",
        "give the job the permission docs/action.md names; of a fork's pull request the token may only read",
      );
    if (status === 404)
      return failed(
        "forge-not-found",
        "never",
        "check github-token: of what it may not see GitHub says that it is not there",
      );
    if (status >= 500) return failed("forge-unavailable", "if-harmless");
    return failed("forge-unprocessable", "never");
  }

  /** Of the same server only: nobody else is to have the token. */
  #nextOf(link: string | null): string | null {
    const next = /<([^>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
    if (next === undefined || !URL.canParse(next)) return null;
    return new URL(next).origin === new URL(this.#options.apiUrl).origin ? next : null;
  }
}

interface Answer {
  readonly body: unknown;
  readonly link: string | null;
}

interface Failure {
  readonly kind: "failed";
  readonly error: OperationError;
  readonly mayRepeat: "always" | "if-harmless" | "never";
  /** What the server asks for; null: nothing. */
  readonly waitMs: number | null;
}

type Outcome = { readonly kind: "answer"; readonly answer: Answer } | Failure;

function isRateLimit(headers: Headers, said: string): boolean {
  return headers.has("retry-after") || headers.get("x-ratelimit-remaining") === "0" || /rate limit/i.test(said);
}

/** In milliseconds: `Retry-After` in seconds, else until the limit's window ends. */
function waitOf(headers: Headers, nowMs: number): number | null {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
  const reset = Number(headers.get("x-ratelimit-reset") ?? Number.NaN);
  return Number.isFinite(reset) && headers.has("x-ratelimit-reset") ? Math.max(0, reset * 1_000 - nowMs) : null;
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? short(message) : "";
  } catch {
    // A proxy's page: the status says what there is to say.
    return "";
  }
}

function malformed(url: string, what: string): OperationError {
  return new OperationError("forge-malformed", `what answered ${pathOf(url)} sent ${what}`, {
    next: "check GITHUB_API_URL: this is not GitHub's API",
  });
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}

function short(text: string): string {
  return text.length > MESSAGE_MAX ? `${text.slice(0, MESSAGE_MAX)}…` : text;
}
