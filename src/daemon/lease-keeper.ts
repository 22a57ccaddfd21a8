import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import { backoffMs } from "./backoff.ts";

/** A lease is renewed this many times in its life: two renewals may be lost before the third saves it. */
const RENEWALS_PER_TTL = 3;

/**
 * Keeps one lease alive and knows until when it is surely held, by the monotonic time a renewal was *sent*: the store cannot
 * end the lease earlier than that plus the TTL, however late its answer came. When the lease is gone, takes a new one; whoever
 * hung keys on the old one sees another `lease` and hangs them anew.
 */
export class LeaseKeeper {
  readonly #registry: Registry;
  readonly #clock: Clock;
  #ttlMs: number;
  /** What the lease was granted for. */
  #grantedMs: number | null = null;
  readonly #wake: () => void;
  #lease: LeaseId | null = null;
  #heldUntilMs = 0;
  #renewEveryMs: number;
  #rest = new AbortController();
  #mustShowMs: number | null = null;
  /** Called after each acknowledged renewal with the lease, the monotonic time it was sent, and how long it lasts from then on. */
  onRenewed: (lease: LeaseId, sentMs: number, ttlMs: number) => void = () => {};

  constructor(registry: Registry, clock: Clock, ttlMs: number, wake: () => void) {
    this.#registry = registry;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#wake = wake;
    this.#renewEveryMs = ttlMs / RENEWALS_PER_TTL;
  }

  get ttlMs(): number {
    return this.#ttlMs;
  }

  /** Milliseconds between two renewals. */
  get renewEveryMs(): number {
    return this.#renewEveryMs;
  }

  /** From now on a lease lasts this long; one that was granted for another time is replaced at once. */
  lastFor(ttlMs: number): void {
    if (ttlMs === this.#ttlMs) return;
    this.#ttlMs = ttlMs;
    this.mustShowWithin(this.#mustShowMs);
    this.#rest.abort();
  }

  /**
   * Somebody's life hangs on a sign of life within this time, or on none (null): then it is renewed three times within it as well, from now
   * on, and not given back at the end. Whoever comes next has as long as the lease lasts to take over.
   */
  mustShowWithin(milliseconds: number | null): void {
    this.#mustShowMs = milliseconds;
    const renewEveryMs = Math.min(this.#ttlMs, milliseconds ?? this.#ttlMs) / RENEWALS_PER_TTL;
    const isSooner = renewEveryMs < this.#renewEveryMs;
    this.#renewEveryMs = renewEveryMs;
    if (isSooner) this.#rest.abort();
  }

  /** The lease, as long as it is surely held; null otherwise. */
  get lease(): LeaseId | null {
    return this.#clock.monotonicMs() < this.#heldUntilMs ? this.#lease : null;
  }

  /** Keeps it until the signal aborts, then gives it back so that others need not wait for its end; unless somebody's life hangs on it. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#renewOrGrant();
        failures = 0;
        await this.#sleep(this.#renewEveryMs, signal);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        // Whatever the registry answered, the lease's end is decided by the clock alone; the mirror reports what is wrong.
        await this.#sleep(Math.min(backoffMs(failures++), this.#renewEveryMs), signal);
      }
    }
    if (this.#mustShowMs === null) await this.#giveBack();
  }

  /** Ends early where it must be renewed sooner. */
  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    const rest = new AbortController();
    this.#rest = rest;
    const end = () => rest.abort(null);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    await this.#clock.sleep(milliseconds, rest.signal);
    signal.removeEventListener("abort", end);
  }

  async #renewOrGrant(): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    const ttlMs = this.#ttlMs;
    if (this.#lease !== null && this.#grantedMs === ttlMs && (await this.#registry.keepAlive(this.#lease))) {
      this.#heldUntilMs = sentMs + ttlMs;
      this.onRenewed(this.#lease, sentMs, ttlMs);
      return;
    }
    this.#heldUntilMs = 0;
    this.#lease = await this.#registry.grantLease(ttlMs);
    this.#grantedMs = ttlMs;
    this.#heldUntilMs = sentMs + ttlMs;
    this.onRenewed(this.#lease, sentMs, ttlMs);
    this.#wake();
  }

  async #giveBack(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    this.#heldUntilMs = 0;
    if (lease === null) return;
    try {
      await this.#registry.revokeLease(lease);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      // It ends by itself within its TTL; a registry that is gone must not keep a daemon from stopping.
    }
  }
}
