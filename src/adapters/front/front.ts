import type { Duplex } from "node:stream";
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
import { type FrontService, serveConnection } from "./serve-connection.ts";

/** How soon it notices that it is cut off. */
const LOOK_MS = 1_000;

export interface FrontOptions {
  readonly registry: Registry;
  /** Of the cluster it serves. */
  readonly root: string;
  /** Prefixes under it that no peer reads. */
  readonly leaveOut: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

interface Known {
  readonly load: PeerLoad;
  readonly sockets: Set<Duplex>;
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

  /** Names of those connected. */
  get peers(): IterableIterator<string> {
    return this.#peers.keys();
  }

  /**
   * Serves this connection, of which not a byte has been read, until it ends. `others`: what else this peer may call. How many connections
   * one peer may have is for whoever accepts them.
   */
  accept(socket: Duplex, peer: FrontPeer, others: readonly FrontService[] = []): void {
    const known = this.#peers.get(peer.name) ?? { load: new PeerLoad(), sockets: new Set() };
    this.#peers.set(peer.name, known);
    const { load, sockets } = known;
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0 && this.#peers.get(peer.name) === known) this.#peers.delete(peer.name);
    });
    serveConnection(socket, [...this.#servicesFor(peer, load), ...others]);
  }

  #servicesFor(peer: FrontPeer, load: PeerLoad): readonly FrontService[] {
    const parts = { ...this.#options, mirror: this.mirror, leases: this.#leases };
    const { Status, MemberList } = this.#description.service(load);
    return [
      { methods: KV_METHODS, handlers: { ...frontKv(parts, peer, load) } },
      { methods: WATCH_METHODS, handlers: { ...this.watches.service(peer, load) } },
      { methods: LEASE_METHODS, handlers: { ...frontLeases(parts, peer, load) } },
      { methods: MAINTENANCE_METHODS, handlers: { Status } },
      { methods: CLUSTER_METHODS, handlers: { MemberList } },
    ];
  }

  /** Another engine may still reach the registry: its clients look for one as soon as they hear nothing here. */
  async #dropWhenCutOff(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(LOOK_MS, signal);
      if (this.mirror.store !== null && this.mirror.isCutOff) this.#dropAll();
    }
  }

  #dropAll(): void {
    for (const { sockets } of this.#peers.values()) for (const socket of sockets) socket.destroy();
  }
}
