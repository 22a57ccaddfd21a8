import type { Socket } from "node:net";
import { originOf } from "./origin-of.ts";

/** Counts of connections and milliseconds. */
export interface WaitingLimits {
  /** Whose owner is not known yet, in all. */
  readonly total: number;
  /** The same from one address, or one network of IPv6, which its owner has whole: a site behind one has many machines that come back at once. */
  readonly perAddress: number;
  /** After which one may be cut where another one wants its place: a handshake takes milliseconds, so that whoever is slow is the one to go. */
  readonly yieldsAfterMs: number;
  /** After which it is cut in any case. */
  readonly timeoutMs: number;
}

interface Waiting {
  readonly key: string;
  readonly socket: Socket;
  readonly origin: string;
  readonly sinceMs: number;
  timer: NodeJS.Timeout;
}

/**
 * Connections whose owner is not known yet: the part of a server that anybody may fill. Newcomers are turned away where there is no room,
 * except that who has waited for long gives way: a herd of machines that comes back gets in wave by wave, and peers that say nothing keep
 * nobody out.
 */
export class WaitingRoom {
  readonly #limits: WaitingLimits;
  /** In the order in which they came. */
  readonly #waiting = new Map<string, Waiting>();

  constructor(limits: WaitingLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False: there is no room, or it is gone already; it is closed then. */
  admit(socket: Socket): boolean {
    const key = keyOf(socket);
    const origin = originOf(socket.remoteAddress ?? "");
    if (key === null || !this.#makeRoom(origin)) {
      socket.destroy();
      return false;
    }
    const timer = setTimeout(() => socket.destroy(), this.#limits.timeoutMs);
    const waiting = { key, socket, origin, sinceMs: performance.now(), timer };
    this.#waiting.set(key, waiting);
    socket.once("close", () => this.#remove(waiting));
    return true;
  }

  /** It is known now: the limits are not for it any more. */
  leave(socket: Socket): void {
    this.#remove(this.#waiting.get(keyOf(socket) ?? ""));
  }

  /** It stays unknown, and is given so many milliseconds from now. */
  prolong(socket: Socket, milliseconds: number): void {
    const waiting = this.#waiting.get(keyOf(socket) ?? "");
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => waiting.socket.destroy(), milliseconds);
  }

  /** Ends them all. */
  clear(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy();
  }

  #makeRoom(origin: string): boolean {
    const { total, perAddress } = this.#limits;
    const neighbours = [...this.#waiting.values()].filter((waiting) => waiting.origin === origin);
    if (neighbours.length >= perAddress && !this.#giveWay(neighbours[0]!)) return false;
    if (this.#waiting.size < total) return true;
    const [first] = this.#waiting.values();
    return first !== undefined && this.#giveWay(first);
  }

  #giveWay(waiting: Waiting): boolean {
    if (performance.now() - waiting.sinceMs < this.#limits.yieldsAfterMs) return false;
    this.#remove(waiting);
    waiting.socket.destroy();
    return true;
  }

  #remove(waiting: Waiting | undefined): void {
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    // By then another connection may have the same address and port.
    if (this.#waiting.get(waiting.key) === waiting) this.#waiting.delete(waiting.key);
  }
}

/** The same for a connection and for the TLS on it; null once it is gone. */
function keyOf({ remoteAddress, remotePort }: Socket): string | null {
  return remoteAddress === undefined || remotePort === undefined ? null : `${remoteAddress} ${remotePort}`;
}
