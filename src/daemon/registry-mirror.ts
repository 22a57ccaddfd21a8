import type { Clock } from "../ports/clock.ts";
import type { Entry, EntryChange, Registry } from "../ports/registry.ts";
import { backoffMs } from "./backoff.ts";

/**
 * A full listing again at this interval, whatever the watch says: a watch starved or silent beyond everything we check is
 * found within it. Five minutes of a few hundred kilobytes is nothing beside one lost change.
 */
const RELIST_INTERVAL_MS = 300_000;

/** A watch that lasted this long worked: what ended it is a new failure, and its first wait is short again. */
const STEADY_MS = 10_000;

/** A span of one monotonic clock. */
export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Part of the registry, held in memory and followed by watches, so that deciders read a whole picture without asking anyone.
 * Modes: `starting` (nothing known yet), `following` (listed, watches running), `stale` (the registry went away; what was
 * known stays). Every listing replaces everything under its prefix, so it also repairs whatever a watch missed.
 */
export class RegistryMirror {
  readonly #registry: Registry;
  readonly #prefixes: readonly string[];
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #retryWithinMs: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #listed = new Map<string, number>();
  readonly #following = new Set<string>();
  #revision = 0;
  #changes = 0;
  #lastProblem: unknown = null;
  #awaySinceMs: number | null = null;
  #lastAway: Span | null = null;

  /** `retryWithinMs`: who shows by what it reads here that it is there waits no longer than this for its next attempt. */
  constructor(
    registry: Registry,
    prefixes: readonly string[],
    clock: Clock,
    wake: () => void,
    retryWithinMs: () => number = () => Number.POSITIVE_INFINITY,
  ) {
    this.#registry = registry;
    this.#prefixes = prefixes;
    this.#clock = clock;
    this.#wake = wake;
    this.#retryWithinMs = retryWithinMs;
  }

  /** Follows until the signal aborts; never rejects for anything the registry does. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#prefixes.map((prefix) => this.#follow(prefix, signal)));
  }

  /** Whether every prefix has been listed at least once: before that, absence means nothing. */
  get complete(): boolean {
    return this.#listed.size === this.#prefixes.length;
  }

  /** Whether every prefix is being watched right now. */
  get connected(): boolean {
    return this.#following.size === this.#prefixes.length;
  }

  /** The highest revision any of it is known at. */
  get revision(): number {
    return this.#revision;
  }

  /** As long as this is the same, so is every entry. */
  get changes(): number {
    return this.#changes;
  }

  /** What went wrong last, for people; null while connected. */
  get problem(): unknown {
    return this.connected ? null : this.#lastProblem;
  }

  /** The last time something of it could not be followed, after all of it had been; null: never. */
  get lastAway(): Span | null {
    return this.#lastAway;
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  get(key: string): Entry | null {
    return this.#entries.get(key) ?? null;
  }

  async #follow(prefix: string, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = this.#clock.monotonicMs();
      try {
        await this.#followOnce(prefix, signal);
        attempt = -1;
      } catch (error) {
        this.#lastProblem = error;
        if (this.#following.has(prefix) && this.#clock.monotonicMs() - startedMs >= STEADY_MS) attempt = -1;
      }
      if (this.connected) this.#awaySinceMs = this.#clock.monotonicMs();
      this.#following.delete(prefix);
      this.#wake();
      if (!signal.aborted) await this.#clock.sleep(Math.min(backoffMs(attempt + 1), this.#retryWithinMs()), signal);
    }
  }

  /** Lists, then applies changes until the watch ends, fails or the time for a new listing has come. */
  async #followOnce(prefix: string, signal: AbortSignal): Promise<void> {
    const listing = await this.#registry.list(prefix);
    this.#replace(prefix, listing.entries, listing.revision);
    this.#following.add(prefix);
    if (this.connected && this.#awaySinceMs !== null) {
      this.#lastAway = { fromMs: this.#awaySinceMs, untilMs: this.#clock.monotonicMs() };
      this.#awaySinceMs = null;
    }
    this.#wake();
    const renewal = new AbortController();
    const both = AbortSignal.any([signal, renewal.signal]);
    void this.#clock.sleep(RELIST_INTERVAL_MS, both).then(() => renewal.abort(null));
    try {
      for await (const message of this.#registry.watch(prefix, listing.revision, both)) {
        if (message.kind === "compacted") return;
        this.#revision = Math.max(this.#revision, message.revision);
        if (message.kind === "progress") continue;
        for (const change of message.changes) this.#apply(change);
        this.#wake();
      }
    } finally {
      renewal.abort(null);
    }
  }

  #apply(change: EntryChange): void {
    this.#changes++;
    if (change.kind === "put") this.#entries.set(change.entry.key, change.entry);
    else this.#entries.delete(change.key);
  }

  /** What is as it was keeps its object: whoever remembers something about an entry need not think again every five minutes. */
  #replace(prefix: string, entries: readonly Entry[], revision: number): void {
    const present = new Set(entries.map((entry) => entry.key));
    for (const key of this.#entries.keys()) {
      if (key.startsWith(prefix) && !present.has(key)) this.#apply({ kind: "delete", key, modRevision: revision });
    }
    for (const entry of entries) {
      const known = this.#entries.get(entry.key);
      if (known === undefined || !isSame(known, entry)) this.#apply({ kind: "put", entry });
    }
    this.#listed.set(prefix, revision);
    this.#revision = Math.max(this.#revision, revision);
  }
}

/** By more than its revision: a registry that was wiped counts anew. */
function isSame(a: Entry, b: Entry): boolean {
  return (
    a.modRevision === b.modRevision &&
    a.createRevision === b.createRevision &&
    a.version === b.version &&
    a.lease === b.lease &&
    a.value === b.value
  );
}
