import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from "node:tls";
import type { PeerFacts, PeerRefusal, PeerVerdict } from "../../domain/identity/judge-peer.ts";
import type { MachineId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { greetingLine } from "./greeting.ts";
import type { IdentityKeeper } from "./identity-keeper.ts";
import type { IssuedCertificate } from "./issue-certificate.ts";
import { readPeer } from "./read-peer.ts";
import { HANDSHAKE_TIMEOUT_MS, KEEP_ALIVE_MS } from "./tls-terms.ts";
import { type WaitingLimits, WaitingRoom } from "./waiting-room.ts";

/** Whoever is on the other end of a connection, its key proved by TLS. */
export interface FrontPeer {
  /** `accepted`: that machine. `refused`: a stranger, who may hear only what anybody may; `code` says why. */
  readonly verdict: PeerVerdict;
  /** What it said of itself; null only where it showed no certificate. */
  readonly facts: PeerFacts | null;
  readonly address: string;
}

export interface FrontLimits extends WaitingLimits {
  /** How long a stranger may stay; milliseconds. */
  readonly strangerMs: number;
  /** Connections of one machine: a further one ends the oldest, which on a bad link is one that died unnoticed. */
  readonly perMachine: number;
  /** Connections in all, of whomever. */
  readonly connections: number;
}

/**
 * A half-open TLS connection takes about 50 KB, so 256 are 13 MB; a thousand machines that come back at once take a few waves of a second or
 * two. A machine has one connection of its agent and one of each command somebody runs there.
 */
export const FRONT_LIMITS: FrontLimits = {
  ...{ total: 256, perAddress: 64, yieldsAfterMs: 2_000, timeoutMs: HANDSHAKE_TIMEOUT_MS },
  ...{ strangerMs: 30_000, perMachine: 16, connections: 4_096 },
};

export interface FrontOptions {
  /** Refusals after which a peer may stay as a stranger, to ask how to join. None where not given. */
  readonly strangers?: ReadonlySet<PeerRefusal>;
  /** Hears of everybody who is sent away after a handshake, for the log. */
  readonly onRefused?: (code: PeerRefusal, peer: FrontPeer) => void;
  readonly limits?: Partial<FrontLimits>;
}

/**
 * One TCP port for agents. `judge` is asked of each peer after its handshake and before anything is read from it; `onPeer` gets those it
 * accepts, greeted, and strangers where they may stay. Sockets show what goes wrong with them as their `close`.
 */
export function frontTlsServer(
  identity: IdentityKeeper,
  judge: (facts: PeerFacts | null) => PeerVerdict,
  onPeer: (socket: TLSSocket, peer: FrontPeer) => void,
  options: FrontOptions = {},
): FrontTlsServer {
  return new FrontTlsServer(identity, judge, onPeer, options);
}

export class FrontTlsServer {
  readonly #judge: (facts: PeerFacts | null) => PeerVerdict;
  readonly #onPeer: (socket: TLSSocket, peer: FrontPeer) => void;
  readonly #options: FrontOptions;
  readonly #limits: FrontLimits;
  readonly #waiting: WaitingRoom;
  readonly #tcp: TcpServer;
  readonly #tls: TlsServer;
  readonly #identity: IdentityKeeper;
  /** The certificate it shows. */
  #shown: IssuedCertificate;
  /** Those accepted, oldest first. */
  readonly #peers = new Map<TLSSocket, { readonly machine: MachineId; readonly facts: PeerFacts | null }>();

  constructor(
    identity: IdentityKeeper,
    judge: (facts: PeerFacts | null) => PeerVerdict,
    onPeer: (socket: TLSSocket, peer: FrontPeer) => void,
    options: FrontOptions,
  ) {
    this.#judge = judge;
    this.#onPeer = onPeer;
    this.#options = options;
    this.#limits = { ...FRONT_LIMITS, ...options.limits };
    this.#waiting = new WaitingRoom(this.#limits);
    this.#identity = identity;
    this.#shown = identity.certificate();
    // It never listens: connections come from the other one, which looks at them first.
    const terms = { ...identity.secureContextOptions(), requestCert: true, rejectUnauthorized: false };
    this.#tls = createTlsServer(terms, (socket) => this.#meet(socket));
    this.#tls.on("tlsClientError", (_, socket) => socket.destroy());
    this.#tcp = createTcpServer((socket) => this.#come(socket));
    this.#tcp.maxConnections = this.#limits.connections;
  }

  /** Begins to listen; port 0 takes a free one. Rejects with OperationError `cannot-listen`. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => {
        const message = `cannot listen on ${host}:${port}: ${error.code ?? error.message}`;
        const next = "choose an address of this machine and a free port (--listen); see who has it: ss -ltnp";
        reject(new OperationError("cannot-listen", message, { cause: error, next }));
      };
      this.#tcp.once("error", onError);
      this.#tcp.listen({ host, port }, () => {
        this.#tcp.off("error", onError);
        // Out of file descriptors: whoever was not accepted comes again.
        this.#tcp.on("error", () => undefined);
        const { address, port: taken } = this.#tcp.address() as AddressInfo;
        resolve({ host: address, port: taken });
      });
    });
  }

  /** Machines connected now, each once for every connection. */
  get machines(): readonly MachineId[] {
    return [...this.#peers.values()].map(({ machine }) => machine);
  }

  /**
   * Asks `judge` of everybody anew, because what it goes by has changed, and cuts those it no longer takes; says how many. A connection may
   * be older than the certificate it began with: it is cut too, and comes back with the new one.
   */
  rejudge(): number {
    const gone = [...this.#peers].filter(([, { facts }]) => this.#judge(facts).verdict === "refused");
    for (const [socket] of gone) socket.destroy();
    return gone.length;
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    this.#waiting.clear();
    for (const socket of this.#peers.keys()) socket.destroy();
    await closed;
  }

  #come(socket: Socket): void {
    // Of an error before TLS nobody need hear: the connection closes.
    socket.on("error", () => socket.destroy());
    if (!this.#waiting.admit(socket)) return;
    const certificate = this.#identity.certificate();
    if (certificate !== this.#shown) {
      this.#tls.setSecureContext(this.#identity.secureContextOptions());
      this.#shown = certificate;
    }
    this.#tls.emit("connection", socket);
  }

  #meet(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    const address = socket.remoteAddress;
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const facts = readPeer(socket);
    const verdict = this.#judge(facts);
    const peer: FrontPeer = { verdict, facts, address };
    if (verdict.verdict === "accepted") this.#take(socket, verdict.machine, peer);
    else if (this.#options.strangers?.has(verdict.code)) {
      this.#waiting.prolong(socket, this.#limits.strangerMs);
      socket.write(greetingLine({ verdict: "stranger", code: verdict.code }));
      this.#onPeer(socket, peer);
    } else {
      this.#options.onRefused?.(verdict.code, peer);
      // It still counts as waiting, so it has only that long to hear why.
      socket.end(greetingLine({ verdict: "refused", code: verdict.code }), () => socket.destroy());
    }
  }

  #take(socket: TLSSocket, machine: MachineId, peer: FrontPeer): void {
    const others = [...this.#peers].filter(([, other]) => other.machine === machine);
    if (others.length >= this.#limits.perMachine) others[0]![0].destroy();
    this.#waiting.leave(socket);
    this.#peers.set(socket, { machine, facts: peer.facts });
    socket.once("close", () => this.#peers.delete(socket));
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    socket.write(greetingLine({ verdict: "accepted" }));
    this.#onPeer(socket, peer);
  }
}
