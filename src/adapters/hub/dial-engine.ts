import type { Duplex } from "node:stream";
import type { HubProblem } from "../../domain/hub/hub-state.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HubEndpoint } from "./hub-address.ts";

/** A connection to an engine that was accepted: nothing of the application has gone over it yet. */
export interface EngineLink {
  readonly stream: Duplex;
  /** The engine key it has proved to have. */
  readonly key: string;
}

/** Makes one; rejects with HubRefusal. Ends what it began when the signal aborts. */
export type DialEngine = (endpoint: HubEndpoint, signal: AbortSignal) => Promise<EngineLink>;

/** Why an engine cannot be used. It never leaves the relay: what people and daemons see is a `HubState` and the registry's own errors. */
export class HubRefusal extends Error {
  override readonly name = "HubRefusal";
  readonly problem: HubProblem;

  constructor(problem: HubProblem, detail: string, options: { cause?: unknown } = {}) {
    super(detail, options);
    this.problem = problem;
  }
}

/** How much later the next engine is dialled beside one that has not answered: twice RFC 8305's delay, because a handshake is two round trips. */
const NEXT_ENGINE_AFTER_MS = 500;
/** For reaching one engine, handshake included: four round trips of a bad satellite line, and a lost SYN is sent again after 1 and 3 s. */
const DIAL_LIMIT_MS = 6_000;

export interface DialWatcher {
  failed(endpoint: HubEndpoint, refusal: HubRefusal): void;
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
      const link = await dialInTime(endpoint, dial, clock, both);
      if (winner !== null || both.aborted) return void link.stream.destroy();
      winner = { endpoint, link };
      over.abort();
    } catch (error) {
      if (!(error instanceof HubRefusal)) throw error;
      if (!both.aborted) watcher.failed(endpoint, error);
    }
  };
  const running: Promise<void>[] = [];
  for (const endpoint of candidates) {
    if (both.aborted) break;
    const attempted = attempt(endpoint);
    running.push(attempted);
    const isOver = new AbortController();
    await Promise.race([attempted, clock.sleep(NEXT_ENGINE_AFTER_MS, AbortSignal.any([both, isOver.signal]))]);
    isOver.abort();
  }
  await Promise.race([Promise.all(running), aborted(both)]);
  return winner;
}

async function dialInTime(
  endpoint: HubEndpoint,
  dial: DialEngine,
  clock: Clock,
  signal: AbortSignal,
): Promise<EngineLink> {
  const late = new AbortController();
  const answered = new AbortController();
  void clock.sleep(DIAL_LIMIT_MS, AbortSignal.any([signal, answered.signal])).then(() => {
    if (!signal.aborted && !answered.signal.aborted) late.abort();
  });
  try {
    return await dial(endpoint, AbortSignal.any([signal, late.signal]));
  } catch (error) {
    if (!late.signal.aborted) throw error;
    throw new HubRefusal("silent", `no answer in ${DIAL_LIMIT_MS / 1000} s`, { cause: error });
  } finally {
    answered.abort();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
