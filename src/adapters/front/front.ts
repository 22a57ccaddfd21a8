import type { Duplex } from "node:stream";
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Registry } from "../../ports/registry.ts";
import {
  CLUSTER_METHODS,
  KV_METHODS,
  LEASE_METHODS,
  MAINTENANCE_METHODS,
  WATCH_METHODS,
} from "../etcd-proto/etcd-proto.ts";
import { FrontDescription } from "./front-cluster.ts";
import { frontKv } from "./front-kv.ts";
import { frontLeases } from "./front-leases.ts";
import { type FrontPeer, PeerLoad } from "./front-peer.ts";
import { FrontWatches } from "./front-watches.ts";
import { LeaseBook } from "./lease-book.ts";
import { RootMirror } from "./root-mirror.ts";

/** etcd's own limit of a request, and its overhead. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;
/** Calls and watches of one connection: an agent has eleven watches on one, and a call or two on another. */
const STREAMS_PER_CONNECTION_MAX = 128;
/** A machine has its agent's two, its reboot guard's, its objects', and those of a person's commands. */
const CONNECTIONS_PER_PEER_MAX = 16;

const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
  "grpc.max_send_message_length": -1,
  "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
  // A machine that is gone without a word is noticed after 30 s, as it is by its lease.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.enable_channelz": 0,
} as const;

export interface FrontOptions {
  readonly registry: Registry;
  /** Of the cluster it serves. */
  readonly root: string;
  /** Prefixes under it that no peer reads. */
  readonly leaveOut: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
  /** What else peers may call. */
  readonly services?: (peer: FrontPeer) => readonly FrontService[];
}

export interface FrontService {
  readonly methods: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

interface Connection {
  readonly socket: Duplex;
  readonly server: Server;
}

interface Known {
  readonly load: PeerLoad;
  readonly connections: Set<Connection>;
}

/**
 * The registry as an engine serves it to machines: etcd's v3 protocol over connections somebody has accepted, each within the scope of its
 * peer. What machines read comes out of one mirror, so that a thousand of them cost the registry what one engine costs it.
 */
export class Front {
  readonly mirror: RootMirror;
  readonly watches: FrontWatches;
  readonly #options: FrontOptions;
  readonly #leases: LeaseBook;
  readonly #description: FrontDescription;
  readonly #peers = new Map<string, Known>();

  constructor(options: FrontOptions) {
    const { registry, clock, log } = options;
    this.#options = options;
    this.mirror = new RootMirror(options);
    this.watches = new FrontWatches(this.mirror, clock);
    this.#leases = new LeaseBook(this.mirror, clock);
    this.#description = new FrontDescription(registry, this.mirror, log);
  }

  /** Until the signal aborts; then ends all connections. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.mirror.run(signal), this.watches.run(signal), this.#dropWhenCutOff(signal)]);
    this.#dropAll();
  }

  /** How many machines are connected. */
  get peers(): number {
    return this.#peers.size;
  }

  /** Serves this connection, of which not a byte has been read, until it ends. */
  accept(socket: Duplex, peer: FrontPeer): void {
    const known = this.#peers.get(peer.name) ?? { load: new PeerLoad(), connections: new Set() };
    this.#peers.set(peer.name, known);
    // The oldest goes: of a machine behind a bad line it is the one nobody holds the other end of.
    if (known.connections.size >= CONNECTIONS_PER_PEER_MAX) [...known.connections][0]?.socket.destroy();
    const server = this.#serverFor(peer, known.load);
    const connection = { socket, server };
    known.connections.add(connection);
    socket.once("close", () => {
      known.connections.delete(connection);
      if (known.connections.size === 0) this.#peers.delete(peer.name);
      server.forceShutdown();
    });
    // Ends of every kind are followed by 'close'.
    socket.on("error", () => {});
    server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  }

  /** Ends the connections of peers that may not be here any more. */
  dropBut(mayStay: (peer: string) => boolean): void {
    for (const [name, { connections }] of this.#peers) {
      if (!mayStay(name)) for (const { socket } of connections) socket.destroy();
    }
  }

  #serverFor(peer: FrontPeer, load: PeerLoad): Server {
    const parts = { ...this.#options, mirror: this.mirror, leases: this.#leases };
    const { Status, MemberList } = this.#description.service(load);
    const server = new Server(SERVER_OPTIONS);
    server.addService(KV_METHODS, { ...frontKv(parts, peer, load) });
    server.addService(WATCH_METHODS, { ...this.watches.service(peer, load) });
    server.addService(LEASE_METHODS, { ...frontLeases(parts, peer, load) });
    server.addService(MAINTENANCE_METHODS, { Status });
    server.addService(CLUSTER_METHODS, { MemberList });
    for (const { methods, handlers } of this.#options.services?.(peer) ?? []) server.addService(methods, handlers);
    return server;
  }

  /** Another engine may still reach the registry: its clients look for one as soon as they hear nothing here. */
  async #dropWhenCutOff(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_MS, signal);
      if (this.mirror.store !== null && this.mirror.isCutOff) this.#dropAll();
    }
  }

  #dropAll(): void {
    this.dropBut(() => false);
  }
}

const LOOK_MS = 1_000;
