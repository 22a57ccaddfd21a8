import { createServer, type Server, type Socket } from "node:net";
import type { HubState } from "../../domain/hub/hub-state.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { carry, type EndedBy } from "./carry.ts";
import { type DialEngine, dialFirst, type EngineLink } from "./dial-engine.ts";
import { type DialFailure, EngineChoice } from "./engine-choice.ts";
import { endpointText, type HubAddress, type HubEndpoint } from "./hub-address.ts";
import { type PrivateSocket, privateSocket } from "./private-socket.ts";

/**
 * A client that closes after so long a silence had nothing more to ask: git's after a minute. One that gives an engine up closes when a call
 * has not been answered for 5 s, a watch for 15 s, or at once after an answer that says no.
 */
const IDLE_MS = 30_000;

const DROPPED: DialFailure = {
  code: "engine-dropped",
  detail: "it ended the connection before it said a word",
  next: "look into its log: journalctl -u fleet-engine -n 50",
};

/** A registry's client has two connections, one for calls and one for watches; more than this many are a leak of ours. */
const CONNECTIONS_MAX = 32;

export interface HubRelayOptions {
  readonly address: HubAddress;
  readonly dial: DialEngine;
  readonly clock: Clock;
  /** 0 to 1: of the order of engines, and of waits. */
  readonly random: () => number;
  /** Where its socket is made; nobody else may look into it. */
  readonly folder: string;
  /** Begins the socket's name. */
  readonly role: string;
}

interface Carried {
  readonly link: EngineLink;
  readonly endpoint: HubEndpoint;
}

/**
 * A private socket on this machine that leads to whichever engine accepts and answers. It reads nothing of what it carries: each connection
 * to the socket is one connection to an engine. A client that closes its own has given that engine up (etcd's client closes on silence and
 * where an answer is late), so that the next one goes to another.
 */
export class HubRelay {
  readonly #options: HubRelayOptions;
  readonly #choice: EngineChoice;
  readonly #socket: PrivateSocket;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #carried = new Set<Carried>();
  readonly #closed = new AbortController();
  #inUse: { readonly engine: string | null; readonly since: string };

  private constructor(options: HubRelayOptions, socket: PrivateSocket) {
    this.#options = options;
    this.#choice = new EngineChoice(options.address.engines, options.random);
    this.#socket = socket;
    this.#inUse = { engine: null, since: this.#now() };
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
      this.#clients.add(client);
      client.once("close", () => this.#clients.delete(client));
      // Of a client that goes while an engine is dialled; once it is carried, whoever carries it hears all.
      client.on("error", () => {});
      void this.#serve(client);
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listens. Rejects with OperationError `hub-socket` where it cannot. */
  static async listen(options: HubRelayOptions): Promise<HubRelay> {
    const relay = new HubRelay(options, await privateSocket(options.folder, options.role));
    await relay.#socket.listen(relay.#server);
    return relay;
  }

  /** Where a client connects. */
  get socketPath(): string {
    return this.#socket.path;
  }

  state(): HubState {
    return { ...this.#inUse, failures: this.#choice.failures };
  }

  /** Ends at once what is carried to engines with other keys than these. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const { link } of this.#carried) if (!keys.has(link.key)) link.stream.destroy();
  }

  /** Dials every engine once, whether it may be dialled by now or not, and ends it again: for whoever wants to know how each of them is. */
  async tryAll(): Promise<void> {
    const { address, dial } = this.#options;
    const attempts = address.engines.map(async (endpoint) => {
      try {
        const { stream } = await dial(endpoint, this.#closed.signal);
        stream.destroy();
        this.#choice.heard(endpoint);
      } catch (error) {
        if (this.#closed.signal.aborted) return;
        if (!(error instanceof OperationError)) throw error;
        this.failed(endpoint, error);
      }
    });
    await Promise.all(attempts);
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const ended = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const { link } of [...this.#carried]) link.stream.destroy();
    for (const client of this.#clients) client.destroy();
    await ended;
    await this.#socket.remove();
  }

  async #serve(client: Socket): Promise<void> {
    const { clock, dial } = this.#options;
    const candidates = this.#choice.candidates(clock.monotonicMs());
    const reached = await dialFirst(candidates, dial, this, clock, this.#closed.signal);
    if (reached === null) {
      this.#note();
      return void client.destroy();
    }
    const { endpoint, link } = reached;
    if (client.destroyed || this.#closed.signal.aborted) {
      link.stream.destroy();
      return void client.destroy();
    }
    this.#choice.chosen(endpoint);
    this.#carried.add(reached);
    this.#note();
    let wasHeard = false;
    const heard = () => {
      wasHeard = true;
      this.#choice.heard(endpoint);
    };
    const ended = (by: EndedBy, idleMs: number) => {
      this.#carried.delete(reached);
      if (by === "engine" && !wasHeard) this.#fail(endpoint, DROPPED);
      else if (by === "engine" || idleMs < IDLE_MS) this.#choice.left(endpoint);
      this.#note();
    };
    carry(client, link.stream, { heard, ended }, clock);
  }

  /** Of `dialFirst`. */
  failed(endpoint: HubEndpoint, { code, message, next }: OperationError): void {
    this.#fail(endpoint, { code, detail: message, next: next ?? null });
  }

  #fail(endpoint: HubEndpoint, failure: DialFailure): void {
    this.#choice.failed(endpoint, failure, this.#options.clock.monotonicMs(), this.#now());
  }

  /** The engine that carried something last, of those that still do. */
  #note(): void {
    const last = [...this.#carried].at(-1);
    const engine = last === undefined ? null : endpointText(last.endpoint);
    if (engine !== this.#inUse.engine) this.#inUse = { engine, since: this.#now() };
  }

  #now(): string {
    return new Date(this.#options.clock.wallMs()).toISOString();
  }
}
