import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A comment or an issue as the server keeps it. */
export interface KeptText {
  readonly number: number;
  readonly login: string;
  body: string;
  title?: string;
  state: "open" | "closed";
  minimized: boolean;
  readonly pull_request?: object;
}

export interface KeptStatus {
  readonly sha: string;
  readonly state: string;
  readonly context: string;
  readonly description: string;
}

/** An answer in place of the server's own, once: the next request that matches gets it. */
export interface Script {
  readonly method: string;
  readonly path: RegExp;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object | string;
  /** The server does what it was asked to, and only its answer is this one. */
  readonly after?: boolean;
  readonly times?: number;
}

/** As many as one page of GitHub's holds at most. */
const PAGE = 100;
export const BOT = "github-actions[bot]";

/** GitHub's REST and GraphQL, as far as the action uses it, with one repository `acme/infra`. */
export class GitHubServer {
  readonly comments = new Map<number, KeptText[]>();
  readonly issues: KeptText[] = [];
  readonly pulls = new Map<string, object[]>();
  /** By `owner:branch`, with its last commit. */
  readonly open = new Map<string, { readonly number: number; readonly sha: string }>();
  readonly statuses: KeptStatus[] = [];
  readonly requests: string[] = [];
  readonly tokens = new Set<string>();
  readonly #scripts: (Script & { left: number })[] = [];
  readonly #server: Server;
  #ids = 1_000;
  viewer: string | null = "github-actions";

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<GitHubServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new GitHubServer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  script(script: Script): void {
    this.#scripts.push({ ...script, left: script.times ?? 1 });
  }

  /** Somebody else's comment, or one of ours from before. */
  comment(number: number, body: string, login = "alice"): KeptText {
    const kept: KeptText = { number: this.#ids++, login, body, state: "open", minimized: false };
    this.comments.set(number, [...(this.comments.get(number) ?? []), kept]);
    return kept;
  }

  /** What the action itself wrote under a pull request. */
  own(number: number): KeptText[] {
    return (this.comments.get(number) ?? []).filter(({ login }) => login === BOT);
  }

  reset(): void {
    this.comments.clear();
    this.issues.length = 0;
    this.pulls.clear();
    this.open.clear();
    this.statuses.length = 0;
    this.requests.length = 0;
    this.#scripts.length = 0;
    this.viewer = "github-actions";
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.tokens.add(request.headers.authorization ?? "");
    this.requests.push(`${method} ${url}`);
    const text = Buffer.concat(chunks).toString("utf8");
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const script = this.#scripts.find((one) => one.left > 0 && one.method === method && one.path.test(url));
    if (script !== undefined) script.left--;
    const own = script === undefined || script.after === true ? this.#own(method, url, body) : null;
    const {
      status,
      headers = {},
      answer,
    } = script === undefined ? own! : { status: script.status, headers: script.headers, answer: script.body ?? {} };
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  }

  #own(method: string, url: string, body: Record<string, unknown>): Answer {
    const { pathname, searchParams } = new URL(url, this.url);
    const route = (pattern: RegExp) => pattern.exec(`${method} ${pathname}`);
    if (pathname === "/graphql") return this.#graphql(body);
    let match = route(/^(GET|POST) \/repos\/acme\/infra\/issues\/(\d+)\/comments$/);
    if (match !== null) {
      const number = Number(match[2]);
      if (match[1] === "GET") return this.#page(this.comments.get(number) ?? [], pathname, searchParams);
      return tooLong(body) ?? { status: 201, answer: shown(this.comment(number, String(body.body), BOT)) };
    }
    match = route(/^PATCH \/repos\/acme\/infra\/issues\/comments\/(\d+)$/);
    if (match !== null) {
      const found = [...this.comments.values()].flat().find(({ number }) => number === Number(match![1]));
      if (found === undefined) return { status: 404, answer: { message: "Not Found" } };
      const refusal = tooLong(body);
      if (refusal !== null) return refusal;
      found.body = String(body.body);
      return { status: 200, answer: shown(found) };
    }
    match = route(/^(GET|POST) \/repos\/acme\/infra\/issues$/);
    if (match?.[1] === "GET")
      return this.#page(
        this.issues.filter(({ state }) => state === "open"),
        pathname,
        searchParams,
      );
    if (match !== null) {
      const issue: KeptText = {
        number: this.#ids++,
        login: BOT,
        body: String(body.body),
        state: "open",
        minimized: false,
      };
      this.issues.push(Object.assign(issue, { title: String(body.title) }));
      return { status: 201, answer: shown(issue) };
    }
    match = route(/^PATCH \/repos\/acme\/infra\/issues\/(\d+)$/);
    const issue = this.issues.find(({ number }) => number === Number(match?.[1]));
    if (issue !== undefined) {
      const { title, body: text, state } = body as Partial<KeptText>;
      Object.assign(issue, { title: title ?? issue.title, body: text ?? issue.body, state: state ?? issue.state });
      return { status: 200, answer: shown(issue) };
    }
    match = route(/^POST \/repos\/acme\/infra\/statuses\/([0-9a-f]+)$/);
    if (match !== null) {
      this.statuses.push({ ...(body as unknown as KeptStatus), sha: match[1]! });
      return { status: 201, answer: {} };
    }
    if (route(/^GET \/repos\/acme\/infra\/pulls$/) !== null) {
      const found = this.open.get(searchParams.get("head") ?? "");
      return { status: 200, answer: found === undefined ? [] : [{ number: found.number, head: { sha: found.sha } }] };
    }
    match = route(/^GET \/repos\/acme\/infra\/commits\/([0-9a-f]+)\/pulls$/);
    if (match !== null) return { status: 200, answer: this.pulls.get(match[1]!) ?? [] };
    return { status: 404, answer: { message: `no such thing as ${method} ${pathname}` } };
  }

  #page(all: readonly KeptText[], path: string, search: URLSearchParams): Answer {
    const page = Number(search.get("page") ?? 1);
    const size = Math.min(PAGE, Number(search.get("per_page") ?? 30));
    const headers: Record<string, string> = {};
    if (page * size < all.length) {
      search.set("page", String(page + 1));
      headers.link = `<${this.url}${path}?${search}>; rel="next", <${this.url}${path}>; rel="first"`;
    }
    return { status: 200, headers, answer: all.slice((page - 1) * size, page * size).map(shown) };
  }

  #graphql({ query, variables }: { query?: unknown; variables?: unknown }): Answer {
    if (String(query).includes("viewer")) {
      if (this.viewer === null) return { status: 200, answer: { errors: [{ message: "Resource not accessible" }] } };
      return { status: 200, answer: { data: { viewer: { login: this.viewer } } } };
    }
    const { id } = variables as { id: string };
    const found = [...this.comments.values()].flat().find(({ number }) => `node-${number}` === id);
    if (found === undefined) return { status: 200, answer: { errors: [{ message: "Could not resolve to a node" }] } };
    found.minimized = true;
    return { status: 200, answer: { data: { minimizeComment: { minimizedComment: { isMinimized: true } } } } };
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: object | string;
}

function tooLong({ body }: { body?: unknown }): Answer | null {
  return String(body).length > 65_536
    ? { status: 422, answer: { message: "Validation Failed: body is too long (maximum is 65536 characters)" } }
    : null;
}

function shown({ number, body, login, title, state, pull_request }: KeptText): object {
  return {
    ...{ id: number, number, node_id: `node-${number}`, body, title, state },
    ...(pull_request === undefined ? {} : { pull_request }),
    html_url: `https://github.example/acme/infra/issues/1#${number}`,
    user: { login, type: login.endsWith("[bot]") ? "Bot" : "User" },
  };
}
