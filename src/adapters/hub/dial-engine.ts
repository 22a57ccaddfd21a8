import type { Duplex } from "node:stream";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { HubEndpoint } from "./hub-address.ts";

/** A connection to an engine on which both have accepted each other: nothing of the application has gone over it yet. */
export interface EngineLink {
  readonly stream: Duplex;
  /** The engine key it has proved to have. */
  readonly key: string;
}

/**
 * Makes one. Rejects with OperationError, also where there is no answer within some seconds; with anything once the signal aborts, and then
 * nothing of it is left.
 */
export type DialEngine = (endpoint: HubEndpoint, signal: AbortSignal) => Promise<EngineLink>;

/** How much later the next engine is dialled beside one that has not answered: twice RFC 8305's delay, because a handshake is two round trips. */
const NEXT_ENGINE_AFTER_MS = 500;

export interface DialWatcher {
  failed(endpoint: HubEndpoint, error: OperationError): void;
}

/** Dials one after the other until one is accepted, and drops the others; null where none is. */
export async function dialFirst(
  candidates: readonly HubEndpoint[],
  dial: DialEngine,
  watcher: DialWatcher,
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly endpoint: HubEndpoint; readonly link: EngineLink } | null> {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  let winner: { readonly endpoint: HubEndpoint; readonly link: EngineLink } | null = null;
  const attempt = async (endpoint: HubEndpoint): Promise<void> => {
    try {
      const link = await dial(endpoint, both);
      if (both.aborted) return void link.stream.destroy();
      winner = { endpoint, link };
      over.abort();
    } catch (error) {
      // Somebody else was faster, or nobody asks any more: no failure.
      if (both.aborted) return;
      if (!(error instanceof OperationError)) throw error;
      watcher.failed(endpoint, error);
    }
  };
  const running: Promise<void>[] = [];
  for (const endpoint of candidates) {
    if (both.aborted) break;
    const attempted = attempt(endpoint);
    running.push(attempted);
    const isTried = new AbortController();
    await Promise.race([attempted, clock.sleep(NEXT_ENGINE_AFTER_MS, AbortSignal.any([both, isTried.signal]))]);
    isTried.abort();
  }
  await Promise.race([Promise.all(running), aborted(both)]);
  return winner;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
