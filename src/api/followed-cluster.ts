import type { RegistryKeys } from "../codec/registry-keys.ts";
import { RegistryMirror } from "../daemon/registry-mirror.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { followedPrefixes, MirrorReads } from "./mirror-reads.ts";

/** A question that comes first waits this long for the registry; a client's own patience is rarely shorter. */
const FIRST_READING_MS = 5_000;
/** Nobody has asked for this long: nothing is followed any more. A scraper asks every minute at the least. */
const IDLE_MS = 300_000;
const LOOK_MS = 20;

/**
 * The registry as the API reads it: followed from the first question on, and for as long as somebody asks. An engine whose API nobody uses
 * holds and follows nothing for it.
 */
export class FollowedCluster {
  readonly keys: RegistryKeys;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #hearers = new Set<() => void>();
  #following: Following | null = null;
  #askedMs = 0;
  /** Of what was followed earlier: a count that began anew could be one that was there before. */
  #earlierChanges = 0;
  #awaySinceMs: number | null = null;

  constructor(keys: RegistryKeys, registry: Registry, clock: Clock, signal: AbortSignal) {
    this.keys = keys;
    this.#registry = registry;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** What use cases read. Rejects with `registry-unread` where the registry has not been read since it was first asked for. */
  async reads(): Promise<MirrorReads> {
    this.#askedMs = this.#clock.monotonicMs();
    const { mirror, reads } = this.#follow();
    const untilMs = this.#askedMs + FIRST_READING_MS;
    while (!mirror.complete && this.#clock.monotonicMs() < untilMs && !this.#signal.aborted) {
      await this.#clock.sleep(LOOK_MS, this.#signal);
    }
    if (mirror.complete) return reads;
    throw new OperationError("registry-unread", "fleet server unable to communicate with etcd", {
      cause: mirror.problem,
      next: "look for what the engine says of its registry: journalctl -u fleet-engine",
    });
  }

  /** As long as this is the same, so is everything that is read. */
  get changes(): number {
    return this.#earlierChanges + (this.#following?.mirror.changes ?? 0);
  }

  get revision(): number {
    return this.#following?.mirror.revision ?? 0;
  }

  /** Milliseconds since when what is read may be old; null: it is as the registry has it. */
  get awayMs(): number | null {
    if (this.#following === null || this.#following.mirror.connected) return null;
    return this.#clock.monotonicMs() - (this.#awaySinceMs ?? this.#clock.monotonicMs());
  }

  /** Called at every change, until the answered function is called. */
  hear(wake: () => void): () => void {
    this.#hearers.add(wake);
    return () => this.#hearers.delete(wake);
  }

  #follow(): Following {
    if (this.#following !== null) return this.#following;
    const end = new AbortController();
    const mirror = new RegistryMirror(this.#registry, followedPrefixes(this.keys), this.#clock, () => this.#woken());
    const reads = new MirrorReads(this.keys, mirror, this.#registry);
    const both = AbortSignal.any([this.#signal, end.signal]);
    this.#following = { mirror, reads, end };
    void mirror.run(both);
    void this.#endWhenIdle(both);
    return this.#following;
  }

  #woken(): void {
    const isAway = this.#following?.mirror.connected !== true;
    if (!isAway) this.#awaySinceMs = null;
    else this.#awaySinceMs ??= this.#clock.monotonicMs();
    for (const wake of this.#hearers) wake();
  }

  async #endWhenIdle(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const restMs = this.#askedMs + IDLE_MS - this.#clock.monotonicMs();
      if (restMs <= 0 && this.#hearers.size === 0) {
        this.#earlierChanges = this.changes + 1;
        this.#following?.end.abort(null);
        this.#following = null;
        this.#awaySinceMs = null;
        return;
      }
      await this.#clock.sleep(Math.max(restMs, IDLE_MS / 10), signal);
    }
  }
}

interface Following {
  readonly mirror: RegistryMirror;
  readonly reads: MirrorReads;
  readonly end: AbortController;
}
