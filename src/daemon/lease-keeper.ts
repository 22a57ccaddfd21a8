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
  readonly #ttlMs: number;
  readonly #wake: () => void;
  #lease: LeaseId | null = null;
  #heldUntilMs = 0;

  constructor(registry: Registry, clock: Clock, ttlMs: number, wake: () => void) {
    this.#registry = registry;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#wake = wake;
  }

  /** The lease, as long as it is surely held; null otherwise. */
  get lease(): LeaseId | null {
    return this.#clock.monotonicMs() < this.#heldUntilMs ? this.#lease : null;
  }

  /** Keeps it until the signal aborts, then gives it back so that others need not wait for its end. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#renewOrGrant();
        failures = 0;
        await this.#clock.sleep(this.#ttlMs / RENEWALS_PER_TTL, signal);
      } catch (error) {
        if (!(error instanceof OperationError)) throw error;
        // Whatever the registry answered, the lease's end is decided by the clock alone; the mirror reports what is wrong.
        await this.#clock.sleep(Math.min(backoffMs(failures++), this.#ttlMs / RENEWALS_PER_TTL), signal);
      }
    }
    await this.#giveBack();
  }

  async #renewOrGrant(): Promise<void> {
    const sentMs = this.#clock.monotonicMs();
    if (this.#lease !== null && (await this.#registry.keepAlive(this.#lease))) {
      this.#heldUntilMs = sentMs + this.#ttlMs;
      return;
    }
    this.#heldUntilMs = 0;
    this.#lease = await this.#registry.grantLease(this.#ttlMs);
    this.#heldUntilMs = sentMs + this.#ttlMs;
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
