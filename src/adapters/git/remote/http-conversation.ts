import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { OperationError } from "../../../ports/operation-error.ts";
import { displayUrl } from "../display-url.ts";
import { invalidAnswer } from "./invalid-answer.ts";
import { PacketReader } from "./packet-reader.ts";
import type { Conversation } from "./upload-pack.ts";

export interface TalkLimits {
  /** Wall-clock time for everything that is asked, milliseconds. A server that drips one byte a second meets it too. */
  readonly timeoutMs: number;
  /** Of one answer, bytes. A pack is one answer. */
  readonly maxBytes: number;
}

/** A server that is replaced by one that speaks otherwise is noticed after that, or with its first answer that cannot be read. */
const GREETING_KEPT_MS = 600_000;
/** Sources of one process: a cluster's, and those of a person who looks at several. */
const GREETINGS_MAX = 16;

/** What servers say before they are asked, where that is what they can do and nothing of what they hold: version 2, by address. */
const greetings = new Map<string, { readonly said: Buffer; readonly untilMs: number }>();

/**
 * git's smart protocol over HTTP. An answer is handed on only when all of it has arrived. No redirect is followed: a source is configured
 * once, and a moved one should be noticed, not followed with its credentials.
 */
export function httpConversation(url: string, credentials: string | null, limits: TalkLimits): Conversation {
  const stop = new AbortController();
  const deadline = AbortSignal.timeout(limits.timeoutMs);
  const signal = AbortSignal.any([deadline, stop.signal]);
  const headers = {
    "git-protocol": "version=2",
    "user-agent": "git/2.40 (fleet)",
    ...(credentials === null ? {} : { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` }),
  };

  const talk = async (path: string, body: Buffer | null, type: string): Promise<Buffer> => {
    try {
      const response = await send(`${url}${path}`, headers, body, signal);
      const status = response.statusCode ?? 0;
      if (status >= 300 && status < 400) throw moved(url, response);
      if (status >= 400) throw refusedBy(url, status, response);
      const received = await receive(url, response, limits.maxBytes);
      if (response.headers["content-type"] !== type) throw invalidAnswer(`${displayUrl(url)} is no git repository`);
      return received;
    } catch (cause) {
      if (cause instanceof OperationError) throw cause;
      throw deadline.aborted ? timedOut(url, limits.timeoutMs, cause) : unreachable(url, cause);
    }
  };
  const greeting = async (): Promise<Buffer> => {
    const known = greetings.get(url);
    if (known !== undefined && performance.now() < known.untilMs) return known.said;
    const type = "application/x-git-upload-pack-advertisement";
    const said = await talk("/info/refs?service=git-upload-pack", null, type);
    // One request less of each poll, and of two that bring something.
    if (said.includes("version 2\n") && greetings.size < GREETINGS_MAX)
      greetings.set(url, { said, untilMs: performance.now() + GREETING_KEPT_MS });
    return said;
  };
  return {
    greeting: async () => new PacketReader(once(await greeting())),
    ask: async (request) =>
      new PacketReader(once(await talk("/git-upload-pack", request, "application/x-git-upload-pack-result"))),
    close: () => stop.abort(),
  };
}

/** After an answer that was none: perhaps another server answers there now. */
export function forgetGreeting(url: string): void {
  greetings.delete(url);
}

export function timedOut(url: string, timeoutMs: number, cause: unknown): OperationError {
  return new OperationError("source-timeout", `${displayUrl(url)} did not answer in full within ${timeoutMs} ms`, {
    cause,
    next: "check the network and the server",
  });
}

export function tooMuch(url: string, maxBytes: number): OperationError {
  return new OperationError("pack-too-large", `${displayUrl(url)} sent more than ${maxBytes} bytes`, {
    next: "use a repository of its own for units, without large files",
  });
}

function unreachable(url: string, cause: unknown): OperationError {
  return new OperationError("source-unreachable", `cannot reach ${displayUrl(url)}`, {
    cause,
    next: "check the address, the network and the server",
  });
}

function send(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith("https:") ? httpsRequest : httpRequest;
    const asked =
      body === null
        ? { method: "GET", headers }
        : {
            method: "POST",
            headers: {
              ...headers,
              "content-type": "application/x-git-upload-pack-request",
              accept: "application/x-git-upload-pack-result",
              "content-length": String(body.length),
            },
          };
    // `agent: false`: a connection of its own, so nothing lingers when the operation is over.
    const outgoing = request(url, { ...asked, signal, agent: false }, resolve);
    outgoing.on("error", reject);
    outgoing.end(body ?? undefined);
  });
}

/** A body cut short makes the iteration reject (`aborted`), so what returns is whole. */
async function receive(url: string, response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) {
      response.destroy();
      throw tooMuch(url, maxBytes);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function moved(url: string, response: IncomingMessage): OperationError {
  response.destroy();
  const target = response.headers.location;
  const to = target === undefined || !URL.canParse(target, url) ? "" : ` to ${displayUrl(new URL(target, url).href)}`;
  return new OperationError("source-moved", `${displayUrl(url)} redirects${to}; redirects are not followed`, {
    next: "set the source to its new address",
  });
}

function refusedBy(url: string, status: number, response: IncomingMessage): OperationError {
  response.destroy();
  const answer = `${displayUrl(url)} answered ${status} ${response.statusMessage ?? ""}`.trimEnd();
  if (status === 401 || status === 403) {
    return new OperationError("source-unauthorized", answer, { next: "check the source's credentials" });
  }
  if (status === 404) {
    return new OperationError("source-not-found", answer, {
      next: "check the address; private repositories need credentials",
    });
  }
  return new OperationError("source-unreachable", answer, { next: "check the server" });
}

async function* once(bytes: Buffer): AsyncIterableIterator<Buffer> {
  yield bytes;
}
