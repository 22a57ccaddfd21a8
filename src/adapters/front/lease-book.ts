import type { Clock } from "../../ports/clock.ts";
import { MvccError } from "../mvcc/mvcc-error.ts";
import { forbidden, tooMany } from "./front-error.ts";
import type { FrontPeer } from "./front-peer.ts";
import type { RootMirror } from "./root-mirror.ts";

/** An agent has one and, while its time changes, two; the same again for whoever else of the machine keeps one. */
const LEASES_PER_PEER_MAX = 16;
/** A lease of etcd ends up to this long after its time. */
const SLACK_MS = 10_000;

interface Granted {
  readonly peer: string;
  readonly ttlMs: number;
  untilMs: number;
}

/**
 * Whose lease is whose. etcd does not know: whoever names a lease may keep it or end it. Here it is a machine's own if it was granted to it
 * by this engine, or if its own keys and nobody else's hang on it, which is how an engine knows those that another one granted.
 */
export class LeaseBook {
  readonly #mirror: RootMirror;
  readonly #clock: Clock;
  readonly #granted = new Map<string, Granted>();

  constructor(mirror: RootMirror, clock: Clock) {
    this.#mirror = mirror;
    this.#clock = clock;
  }

  /** Throws FrontRefusal where this peer has more than anybody needs. */
  requireRoom(peer: FrontPeer): void {
    const nowMs = this.#clock.monotonicMs();
    let own = 0;
    for (const [lease, granted] of this.#granted) {
      if (granted.untilMs < nowMs) this.#granted.delete(lease);
      else if (granted.peer === peer.name) own += 1;
    }
    if (own >= LEASES_PER_PEER_MAX) throw tooMany();
  }

  granted(lease: string, peer: FrontPeer, ttlMs: number): void {
    this.#granted.set(lease, { peer: peer.name, ttlMs, untilMs: this.#clock.monotonicMs() + ttlMs + SLACK_MS });
  }

  /** It lasts for its whole time again. Returns that time; 0 where another engine granted it. */
  renewed(lease: string): number {
    const granted = this.#granted.get(lease);
    if (granted === undefined) return 0;
    granted.untilMs = this.#clock.monotonicMs() + granted.ttlMs + SLACK_MS;
    return granted.ttlMs;
  }

  ended(lease: string): void {
    this.#granted.delete(lease);
  }

  /** Whether it is known to be this peer's; false: nothing is known of it. Rejects with FrontRefusal where it is another's. */
  async isOwn(lease: string, peer: FrontPeer): Promise<boolean> {
    if (this.#judge(lease, peer)) return true;
    // It may have been hung on through another engine a moment ago.
    await this.#mirror.reaches(await this.#mirror.revision.ask(), CATCH_UP_MS);
    return this.#judge(lease, peer);
  }

  /** Rejects where nobody knows it as well, in etcd's words for a lease that is gone: the peer then takes another. */
  async requireOwn(lease: string, peer: FrontPeer): Promise<void> {
    if (!(await this.isOwn(lease, peer))) throw new MvccError("lease-not-found");
  }

  #judge(lease: string, peer: FrontPeer): boolean {
    const granted = this.#granted.get(lease);
    const keys = this.#mirror.leaseKeys(lease);
    const isOthers = granted !== undefined && granted.peer !== peer.name;
    if (isOthers || keys.some((key) => !peer.scope.isOwnLeased(key))) throw forbidden(peer.name, `use lease ${lease}`);
    return granted !== undefined || keys.length > 0;
  }
}

const CATCH_UP_MS = 1_000;
