import { connect, type TLSSocket } from "node:tls";
import type { PeerAccepted, PeerFacts, PeerRefusal, PeerVerdict } from "../../domain/identity/judge-peer.ts";
import { invariant } from "../../domain/invariant.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { GREETING_BYTES_MAX, type Greeting, parseGreeting } from "./greeting.ts";
import type { IdentityKeeper } from "./identity-keeper.ts";
import { readPeer } from "./read-peer.ts";
import { refusedByThem, refusedByUs } from "./refusal-error.ts";
import { HANDSHAKE_TIMEOUT_MS, KEEP_ALIVE_MS } from "./tls-terms.ts";

/** A connection on which both ends have judged each other; nothing of the application was read or written. */
export interface DialledPeer {
  /** What goes wrong with it later shows as its `close`. */
  readonly socket: TLSSocket;
  readonly facts: PeerFacts;
  readonly peer: PeerAccepted;
  /** Why we are answered only what anybody may ask; null where we are known. */
  readonly strangerBecause: PeerRefusal | null;
}

export interface DialOptions {
  /** Whether to stay where we are not known: to ask which cluster it is, before joining. */
  readonly asStranger?: boolean;
  /** For the connection, both handshakes and the greeting together. */
  readonly timeoutMs?: number;
}

/**
 * Dials an engine. Rejects with OperationError: a refusal's code where we do not take it, `refused-` and the code where it does not take us,
 * `engine-unreachable`, `engine-timeout`, `engine-handshake`; with the signal's reason where that aborts. The socket is gone then.
 */
export async function dialPeer(
  host: string,
  port: number,
  identity: IdentityKeeper,
  judge: (facts: PeerFacts | null) => PeerVerdict,
  signal: AbortSignal,
  { asStranger = false, timeoutMs = HANDSHAKE_TIMEOUT_MS }: DialOptions = {},
): Promise<DialledPeer> {
  signal.throwIfAborted();
  const engine = `the engine at ${host.includes(":") ? `[${host}]` : host}:${port}`;
  const socket = connect({
    ...{ host, port, secureContext: identity.secureContext() },
    // There is no authority to ask: what the certificate says is judged below.
    ...{ rejectUnauthorized: false, checkServerIdentity: () => undefined, servername: "" },
  });
  const ended = endOf(socket, engine, timeoutMs, signal);
  try {
    await Promise.race([ended.promise, secured(socket)]);
    const facts = readPeer(socket);
    const peer = judge(facts);
    if (peer.verdict === "refused") throw refusedByUs(peer.code, engine);
    invariant(facts !== null, "nobody is accepted without a certificate");
    const greeting = await Promise.race([ended.promise, greetingOf(socket, engine)]);
    if (greeting.verdict === "refused") throw refusedByThem(greeting.code, engine);
    if (greeting.verdict === "stranger" && !asStranger) throw refusedByThem(greeting.code, engine);
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    return { socket, facts, peer, strangerBecause: greeting.verdict === "accepted" ? null : greeting.code };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    ended.forget();
  }
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once("secureConnect", resolve));
}

/** Rejects once the socket, the time or the caller's patience ends. An error of the socket never goes unheard, also not later. */
function endOf(socket: TLSSocket, engine: string, timeoutMs: number, signal: AbortSignal) {
  const { promise, reject } = Promise.withResolvers<never>();
  // Later errors come with `close`, which is what the user of the socket looks at.
  socket.on("error", (error) => reject(failure(engine, error)));
  const onClose = () => reject(failure(engine, null));
  const onAbort = () => reject(signal.reason);
  const timer = setTimeout(() => {
    const next = "look whether something on the way holds packets back, and whether that machine is overloaded";
    reject(new OperationError("engine-timeout", `${engine} has not answered in ${timeoutMs} ms`, { next }));
  }, timeoutMs);
  socket.on("close", onClose);
  signal.addEventListener("abort", onAbort);
  // Whoever has raced against it has heard of it; after that nobody asks any more.
  promise.catch(() => undefined);
  return {
    promise,
    forget() {
      clearTimeout(timer);
      socket.off("close", onClose);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Null: it closed the connection without a word. */
function failure(engine: string, error: Error | null): OperationError {
  const { code = "", syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (syscall === "connect" || syscall === "getaddrinfo" || error instanceof AggregateError) {
    const next = "is it up, listening there (fleet-engine --listen), and let through by firewalls?";
    return new OperationError("engine-unreachable", `cannot reach ${engine}: ${code || error?.message}`, {
      ...{ cause: error, next },
    });
  }
  const what = error === null ? "it closed the connection" : error.message;
  return new OperationError("engine-handshake", `no TLS handshake with ${engine}: ${what}`, {
    ...(error === null ? {} : { cause: error }),
    next: "check the address: an engine answers where its --listen says; it also turns connections away while it has too many",
  });
}

/** Reads the first line and nothing beyond it. */
function greetingOf(socket: TLSSocket, engine: string): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const onReadable = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      read = Buffer.concat([read, chunk]);
      const end = read.indexOf("\n");
      if (end < 0 && read.length <= GREETING_BYTES_MAX) return;
      socket.off("readable", onReadable);
      const greeting = parseGreeting(read.toString("latin1", 0, Math.max(end, 0)));
      if (greeting === null) {
        const next = "install one version of fleet on both";
        reject(
          new OperationError("engine-handshake", `${engine} greets in a way this version does not know`, { next }),
        );
        return;
      }
      if (read.length > end + 1) socket.unshift(read.subarray(end + 1));
      resolve(greeting);
    };
    socket.on("readable", onReadable);
    onReadable();
  });
}
