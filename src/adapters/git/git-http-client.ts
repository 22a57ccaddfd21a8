import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl } from "./display-url.ts";

export interface GitHttpLimits {
  /** Wall-clock time for everything this client does, milliseconds. A server that drips one byte a second meets it too. */
  readonly timeoutMs: number;
  /** Of one answer, bytes. A pack is one answer. */
  readonly maxBytes: number;
}

/**
 * isomorphic-git's HTTP plugin, ours because the shipped one has no limits: it waits for ever, takes any number of bytes,
 * and hands a truncated answer on after the refs were already moved. This one counts bytes, ends at a deadline that covers
 * the whole operation, and hands an answer on only when all of it has arrived. It follows no redirect: a source is
 * configured once, and a moved one should be noticed, not followed with its credentials. One client serves one operation.
 */
export function gitHttpClient(limits: GitHttpLimits): HttpClient {
  const deadline = AbortSignal.timeout(limits.timeoutMs);
  return {
    async request({ url, method = "GET", headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> {
      const sent = await collect(body);
      try {
        const response = await send(url, method, { ...headers, "content-length": String(sent.length) }, sent, deadline);
        const status = response.statusCode ?? 0;
        if (status >= 300 && status < 400) throw moved(url, response);
        if (status >= 400) throw refusedBy(url, status, response);
        const received = await receive(url, response, limits.maxBytes);
        return {
          url,
          method,
          statusCode: status,
          statusMessage: response.statusMessage ?? "",
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          body: once(received),
        };
      } catch (cause) {
        if (cause instanceof OperationError) throw cause;
        if (deadline.aborted) {
          throw new OperationError(
            "source-timeout",
            `${displayUrl(url)} did not answer in full within ${limits.timeoutMs} ms`,
            { cause, next: "check the network and the server" },
          );
        }
        throw new OperationError("source-unreachable", `cannot reach ${displayUrl(url)}`, {
          cause,
          next: "check the address, the network and the server",
        });
      }
    },
  };
}

function send(
  url: string,
  method: string,
  headers: Record<string, string>,
  body: Buffer,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith("https:") ? httpsRequest : httpRequest;
    // `agent: false`: a connection of its own, so nothing lingers when the operation is over.
    const outgoing = request(url, { method, headers, signal, agent: false }, resolve);
    outgoing.on("error", reject);
    outgoing.end(body);
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
      throw new OperationError("pack-too-large", `${displayUrl(url)} sent more than ${maxBytes} bytes`, {
        next: "use a repository of its own for units, without large files",
      });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function moved(url: string, response: IncomingMessage): OperationError {
  response.destroy();
  const target = response.headers.location;
  const to = target === undefined ? "" : ` to ${displayUrl(new URL(target, url).href)}`;
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

async function collect(body: GitHttpRequest["body"]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  if (body !== undefined)
    for await (const chunk of body as Iterable<Uint8Array> | AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Buffer): AsyncIterableIterator<Uint8Array> {
  yield bytes;
}
