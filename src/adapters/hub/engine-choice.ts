import type { HubFailure } from "../../domain/hub/hub-state.ts";
import { endpointText, type HubEndpoint } from "./hub-address.ts";

/** First wait after an engine could not be used. Short: most failures are a restart of it. */
const WAIT_FIRST_MS = 250;
/** The longest: a machine is back within it and what it adds to a lease of 15 s; 1,000 machines then dial a dead hub 200 times a second. */
const WAIT_LAST_MS = 5_000;

/** A failure of a dial, or of a connection on which the engine never said a word. */
export type DialFailure = Pick<HubFailure, "code" | "detail" | "next">;

interface Engine {
  readonly endpoint: HubEndpoint;
  /** In a row. */
  failures: number;
  /** Monotonic. */
  notBeforeMs: number;
  failure: HubFailure | null;
}

/**
 * Which engine is dialled next. Each machine has an order of its own, so that many spread over the engines; the one that works stays first,
 * one that was left goes last, and one that failed has to wait, ever longer and never as long as another machine.
 */
export class EngineChoice {
  readonly #engines: readonly Engine[];
  /** In the order to try them. */
  readonly #order: Engine[];
  /** 0 to 1. */
  readonly #random: () => number;

  constructor(engines: readonly HubEndpoint[], random: () => number) {
    this.#random = random;
    this.#engines = engines.map((endpoint) => ({ endpoint, failures: 0, notBeforeMs: 0, failure: null }));
    const left = [...this.#engines];
    this.#order = this.#engines.map(() => left.splice(Math.floor(random() * left.length), 1)[0]!);
  }

  /** Those that may be dialled now, the best first; none is none. */
  candidates(nowMs: number): HubEndpoint[] {
    return this.#order.filter(({ notBeforeMs }) => notBeforeMs <= nowMs).map(({ endpoint }) => endpoint);
  }

  /** It carries something: it stays first. */
  chosen(endpoint: HubEndpoint): void {
    const engine = this.#take(endpoint);
    this.#order.unshift(engine);
  }

  /** It has said something: what was held against it is over. */
  heard(endpoint: HubEndpoint): void {
    const engine = this.#find(endpoint);
    Object.assign(engine, { failures: 0, notBeforeMs: 0, failure: null });
  }

  /** A connection to it ended, or whoever used it gave it up: the others first. */
  left(endpoint: HubEndpoint): void {
    const engine = this.#take(endpoint);
    this.#order.push(engine);
  }

  failed(endpoint: HubEndpoint, failure: DialFailure, nowMs: number, now: string): void {
    const engine = this.#find(endpoint);
    const longest = Math.min(WAIT_LAST_MS, WAIT_FIRST_MS * 2 ** Math.min(engine.failures, 10));
    engine.failures += 1;
    // Half of it at least: machines that lost the same engine at the same moment come back apart.
    engine.notBeforeMs = nowMs + longest * (0.5 + this.#random() / 2);
    const since = engine.failure?.code === failure.code ? engine.failure.since : now;
    engine.failure = { ...failure, engine: endpointText(endpoint), since };
    this.left(endpoint);
  }

  /** What keeps them from being used, in the order of the address. */
  get failures(): readonly HubFailure[] {
    return this.#engines.flatMap(({ failure }) => failure ?? []);
  }

  #find(endpoint: HubEndpoint): Engine {
    return this.#engines.find((engine) => engine.endpoint === endpoint)!;
  }

  #take(endpoint: HubEndpoint): Engine {
    const engine = this.#find(endpoint);
    this.#order.splice(this.#order.indexOf(engine), 1);
    return engine;
  }
}
