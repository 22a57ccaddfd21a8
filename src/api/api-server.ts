import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { API_ROUTES, type ApiRoute } from "../codec/api/api-routes.ts";
import { err, type Log } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type ApiAnswer, ApiHandlers, type ApiPorts, problemOf } from "./api-handlers.ts";
import { ApiProblem } from "./api-problem.ts";
import { bearsToken } from "./bearer-tokens.ts";
import { type Door, refusePages, unknownCaller } from "./door.ts";
import { EventFeed } from "./event-feed.ts";
import { provesToken } from "./forge-proof.ts";
import { jsonText } from "./json-text.ts";
import { writeRefusal } from "./write-refusal.ts";

/** Clients at a time, of each listener: people, a scraper or two, a dashboard; the process has units to place. */
const CONNECTIONS_MAX = 64;
/** A token, a cookie of somebody's proxy; Node's own limit is 16 KiB. */
const HEADERS_MAX = 8_192;
const URL_MAX = 2_048;
/** Nothing here has a body that is read. */
const BODY_MAX = 65_536;
/** For the head of a request, and for all of it, by which nobody holds a connection with nothing to say. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
/** How often Node looks whether those times are over. */
const LOOK_MS = 1_000;
/** Between two requests of one connection, of which it has a hundred. */
const KEEP_ALIVE_MS = 5_000;
const REQUESTS_PER_CONNECTION = 100;
/** A connection on which nothing moves, a client that does not read its answer among them. Events have signs of life in between. */
const SILENT_MS = 30_000;

export interface ApiServerOptions extends ApiPorts {
  /** Of fleet, for the `Server` header. */
  readonly version: string;
  readonly log: Log;
}

/** Certificates of a TLS listener, PEM. With `clientAuthority` whoever comes must have one by it. */
export interface ApiTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string | null;
}

/** The engine's HTTP API: one set of handlers behind several listeners. It only reads, and it answers whether this engine leads or not. */
export class ApiServer {
  readonly #options: ApiServerOptions;
  readonly #handlers: ApiHandlers;
  readonly #feed: EventFeed;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: ApiServerOptions, signal: AbortSignal) {
    this.#options = options;
    this.#handlers = new ApiHandlers(options);
    this.#feed = new EventFeed(options.cluster, this.#handlers.book, options.clock, signal);
    this.#headers = {
      Server: `fleetd/${options.version}`,
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    };
  }

  /** Not listening yet. Ends its connections when it is closed by `closeAllConnections`. */
  listener(door: Door, tls: ApiTls | null): Server {
    const limits: ServerOptions = {
      maxHeaderSize: HEADERS_MAX,
      headersTimeout: HEADERS_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: LOOK_MS,
    };
    const answer = (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response, door);
    const server =
      tls === null ? createServer(limits, answer) : createTlsServer({ ...limits, ...tlsOptions(tls) }, answer);
    server.maxConnections = CONNECTIONS_MAX;
    server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
    server.setTimeout(SILENT_MS);
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse, door: Door): Promise<void> {
    // Whatever happens to the connection, nobody is left to be told.
    response.on("error", () => response.destroy());
    try {
      refusePages(request.headers, door);
      await admit(request, door);
      await this.#dispatch(request, response);
    } catch (error) {
      this.#refuse(response, error);
    }
  }

  async #dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    if (url.length > URL_MAX) throw new ApiProblem(414, `a URL has ${URL_MAX} characters at most`);
    const [path = "/", query = ""] = url.split(/\?(.*)/s);
    const asked = path.replace(/^\/v1-alpha(?=\/|$)/, "/fleet/v1");
    const routes = API_ROUTES.flatMap((route) => {
      const name = nameIn(asked, route.path);
      return name === null ? [] : [{ route, name }];
    });
    const found = routes.find(({ route }) => route.method === method || (route.method === "GET" && method === "HEAD"));
    if (found === undefined) throw await this.#noSuch(asked, method, routes[0] ?? null);
    const { route, name } = found;
    if (route.id === "events") {
      if (method === "HEAD") throw new ApiProblem(405, "events are read by GET", { Allow: "GET" });
      return this.#feed.serve(response, { ...this.#headers, ...this.#age() });
    }
    const caller = `api ${request.socket.remoteAddress ?? "on this machine"}`;
    const answer = await this.#handlers.byRoute[route.id]({ name, query: new URLSearchParams(query), caller });
    this.#send(response, route, answer);
  }

  #send(response: ServerResponse, route: ApiRoute, answer: ApiAnswer): void {
    const isPlain = route.type === "text/plain";
    const type = isPlain ? "text/plain; version=0.0.4; charset=utf-8" : "application/json";
    response.writeHead(answer.status, { ...this.#headers, ...this.#age(), "Content-Type": type });
    response.end("json" in answer ? `${jsonText(answer.json)}\n` : answer.text);
  }

  /** While the registry is away, how old an answer may be, in seconds. */
  #age(): Record<string, string> {
    const { awayMs } = this.#options.cluster;
    return awayMs === null ? {} : { Age: String(Math.ceil(awayMs / 1_000)) };
  }

  async #noSuch(
    path: string,
    method: string,
    known: { readonly route: ApiRoute; readonly name: string } | null,
  ): Promise<ApiProblem> {
    const isOriginal = /^\/fleet\/v1(\/|$)/.test(path) || path === "/";
    if (known === null && !/^\/(fleet\/v1\/?)?$/.test(path)) {
      return new ApiProblem(404, "there is nothing of this name: schemas/api.openapi.json lists what there is");
    }
    const allow = known === null ? "" : known.route.method === "GET" ? "GET, HEAD" : known.route.method;
    if (known !== null && !isOriginal) return new ApiProblem(405, `only ${allow} is answered here`, { Allow: allow });
    const isWrite = !["GET", "HEAD", "OPTIONS"].includes(method);
    if (!isWrite) return new ApiProblem(405, "ask for units, state, machines or discovery", { Allow: allow });
    const picture = await this.#handlers.book.current().catch(awayOrThrow);
    const release = picture?.snapshot.release ?? null;
    const spec =
      release === null || known === null ? null : await this.#options.specOf(release.commit).catch(awayOrThrow);
    const file = spec?.units.find((unit) => unit.name === known?.name)?.fragment.path ?? null;
    return writeRefusal({ method, path, allow }, picture, file);
  }

  #refuse(response: ServerResponse, error: unknown): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem = error instanceof OperationError ? problemOf(error) : error;
    if (!(problem instanceof ApiProblem)) {
      this.#options.log(err(`the API failed by a mistake of fleet: ${(error as Error).stack ?? String(error)}`));
      this.#refuse(response, new ApiProblem(500, "a mistake of fleet; the engine's journal has it"));
      return;
    }
    const { status, message, headers } = problem;
    response.writeHead(status, { ...this.#headers, ...headers, "Content-Type": "application/json" });
    response.end(`${jsonText({ error: { code: status, message } })}\n`);
  }
}

function tlsOptions({ certificate, key, clientAuthority }: ApiTls): object {
  const mutual = clientAuthority === null ? {} : { ca: clientAuthority, requestCert: true, rejectUnauthorized: true };
  return { cert: certificate, key, minVersion: "TLSv1.2", ...mutual };
}

/** Throws where somebody must show a token and shows none. A webhook is told from others by where it goes: it may only poke. */
async function admit(request: IncomingMessage, { tokens: current }: Door): Promise<void> {
  const tokens = current === null ? null : current();
  const isKnown = tokens === null || bearsToken(request.headers.authorization, tokens);
  const isPoke = request.method === "POST" && /^\/v1\/sync(\?|$)/.test(request.url ?? "");
  if (!isKnown && isPoke && (await provesToken(request, tokens))) return;
  ignoreBody(request);
  if (!isKnown) throw unknownCaller();
}

/** Whatever is sent is thrown away, up to a limit. */
function ignoreBody(request: IncomingMessage): void {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > BODY_MAX) request.socket.destroy();
  });
}

/** What stands for `{name}`, or "" where the pattern has none; null: another path. */
function nameIn(path: string, pattern: string): string | null {
  const [before = "", after] = pattern.split("{name}");
  if (after === undefined) return path === pattern ? "" : null;
  const step = path.startsWith(before) ? path.slice(before.length) : "";
  if (step === "" || step.includes("/")) return null;
  try {
    return decodeURIComponent(step);
  } catch {
    // No name that was ever encoded.
    return null;
  }
}

/** That nobody can say where in git does not change that it is said there. */
function awayOrThrow(error: unknown): null {
  if (error instanceof OperationError) return null;
  throw error;
}
