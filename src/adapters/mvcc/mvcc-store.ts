import { invariant } from "../../domain/invariant.ts";
import type { ByteRange, Bytes } from "./byte-range.ts";
import { EventLog } from "./event-log.ts";
import { type KeyVersion, NO_LEASE } from "./key-history.ts";
import { KeyIndex } from "./key-index.ts";
import { type Lease, LeaseTable } from "./lease-table.ts";
import { MvccError } from "./mvcc-error.ts";

/** What happened, complete enough to happen again: what a log keeps. */
export type MvccEffect =
  | { readonly kind: "write"; readonly versions: readonly KeyVersion[] }
  | { readonly kind: "lease-granted"; readonly id: string; readonly ttlSeconds: number }
  | { readonly kind: "lease-ended"; readonly id: string }
  | { readonly kind: "compacted"; readonly revision: number };

/** A store that was never compacted, in etcd's counting. */
const NEVER_COMPACTED = -1;

/** Beyond 2^53, so that whoever keeps ids as numbers notices; far enough below 2^63 for `leaseIdsFrom` of another life. */
export const FIRST_LEASE_ID = 7_587_000_000_000_000_001n;

/**
 * etcd's data model in memory: one revision for the whole store, every key with its past, leases, and the log watchers read.
 * Synchronous and without a clock: one call is one atomic step, time is an argument (milliseconds of one monotonic clock).
 */
export class MvccStore {
  /** Tells one store from another of the same name: decimal text. */
  readonly clusterId: string;
  readonly index = new KeyIndex();
  readonly events = new EventLog();
  readonly leases = new LeaseTable();
  readonly #listeners = new Set<(effect: MvccEffect) => void>();
  #revision = 1;
  #compactedRevision = NEVER_COMPACTED;
  #nextLeaseId: bigint;

  /**
   * `leaseIdsFrom`: a store that can be put back to what a backup of it holds needs another in each life. Its clients keep the ids they
   * have; one that was given out again would be held by two, each of whom believes that what hangs on it is its own.
   */
  constructor(clusterId = "1", leaseIdsFrom = FIRST_LEASE_ID) {
    this.clusterId = clusterId;
    this.#nextLeaseId = leaseIdsFrom;
  }

  /** 1 when nothing was ever written. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads below it are refused. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** Calls it after each effect, in order, until the returned function is called. It must not write. */
  subscribe(listener: (effect: MvccEffect) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The keys of the range as they were at that revision (which may be one that a batch is writing). */
  *select(range: ByteRange, revision: number): Generator<KeyVersion> {
    for (const history of this.index.within(range)) {
      const version = history.at(revision);
      if (version !== undefined) yield version;
    }
  }

  /** Runs all writes of one transaction: they take one revision, or none where nothing was written. `run` must not throw. */
  write<Result>(run: (batch: WriteBatch) => Result): Result {
    const batch = new WriteBatch(this.#revision, this.index, (version) => this.#record(version));
    const result = run(batch);
    if (batch.written.length > 0) {
      this.#revision = batch.revision;
      this.#emit({ kind: "write", versions: batch.written });
    }
    return result;
  }

  /** Of a store that repeats part of another: nothing of that part was written up to there. */
  advanceTo(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
  }

  /** Forgets the past before that revision. */
  compact(revision: number): void {
    if (revision <= this.#compactedRevision) throw new MvccError("revision-compacted");
    if (revision > this.#revision) throw new MvccError("revision-future");
    this.#forget(revision);
    this.#emit({ kind: "compacted", revision });
  }

  /** An id no lease of this store has; the same ones in the same order on every run. */
  mintLeaseId(): string {
    while (this.leases.get(String(this.#nextLeaseId)) !== undefined) this.#nextLeaseId++;
    return String(this.#nextLeaseId++);
  }

  /** Returns the TTL granted, at least 2 s. */
  grantLease(id: string, ttlSeconds: number, nowMs: number): number {
    const granted = this.leases.checkGrant(id, ttlSeconds);
    this.leases.add(id, granted, nowMs);
    this.#emit({ kind: "lease-granted", id, ttlSeconds: granted });
    return granted;
  }

  /** Full time again; undefined where the lease is gone, or its time has come though nobody has ended it yet. */
  renewLease(id: string, nowMs: number): Lease | undefined {
    const lease = this.leases.get(id);
    if (lease === undefined || lease.deadlineMs <= nowMs) return undefined;
    lease.deadlineMs = nowMs + lease.ttlSeconds * 1000;
    return lease;
  }

  /** Ends it and deletes its keys, in byte order and in one revision. */
  revokeLease(id: string): void {
    const lease = this.leases.get(id);
    if (lease === undefined) throw new MvccError("lease-not-found");
    this.write((batch) => {
      for (const key of [...lease.keys].sort()) batch.delete(key);
    });
    this.leases.remove(id);
    this.#emit({ kind: "lease-ended", id });
  }

  /** Ends the leases whose time has come. */
  expireLeases(nowMs: number): void {
    for (const lease of this.leases.expired(nowMs)) this.revokeLease(lease.id);
  }

  /** Repeats an effect of an earlier life; leases begin their whole time anew, for keep-alives are not effects. */
  replay(effect: MvccEffect, nowMs: number): void {
    switch (effect.kind) {
      case "write":
        for (const version of effect.versions) {
          invariant(
            version.modRevision >= this.#revision,
            `revision ${version.modRevision} comes after ${this.#revision}`,
          );
          this.#record(version);
          this.#revision = version.modRevision;
        }
        return;
      case "lease-granted":
        this.leases.add(effect.id, effect.ttlSeconds, nowMs);
        return;
      case "lease-ended":
        this.leases.remove(effect.id);
        return;
      case "compacted":
        this.#forget(effect.revision);
    }
  }

  /**
   * The shortest list of effects that makes this store again in an empty one. Its versions are shared, not copied: it stays
   * as it is while the store goes on.
   */
  snapshot(): readonly MvccEffect[] {
    const versions: KeyVersion[] = [];
    for (const history of this.index.all()) versions.push(...history.versions);
    // Stable: two writes of one key in one revision keep their order; other keys' order within a revision is in `events`.
    const order = new Map<KeyVersion, number>();
    for (let at = 0; at < this.events.length; at++) order.set(this.events.at(at), at);
    versions.sort((a, b) => a.modRevision - b.modRevision || (order.get(a) ?? 0) - (order.get(b) ?? 0));
    const leases = [...this.leases.all()];
    return [
      ...leases.map(({ id, ttlSeconds }) => ({ kind: "lease-granted" as const, id, ttlSeconds })),
      ...versions.map((version) => ({ kind: "write" as const, versions: [version] })),
      ...(this.#compactedRevision === NEVER_COMPACTED
        ? []
        : [{ kind: "compacted" as const, revision: this.#compactedRevision }]),
    ];
  }

  #record(version: KeyVersion): void {
    const history = this.index.open(version.key);
    const previousLease = history.latest()?.lease ?? NO_LEASE;
    if (previousLease !== version.lease) {
      if (previousLease !== NO_LEASE) this.leases.detach(previousLease, version.key);
      if (version.lease !== NO_LEASE) this.leases.attach(version.lease, version.key);
    }
    history.push(version);
    this.events.push(version);
  }

  #forget(revision: number): void {
    this.#compactedRevision = revision;
    const forgotten = this.events.dropBefore(revision);
    // A key whose only event left is at the revision itself keeps its unreadable past until the next compaction.
    const touched = new Set(forgotten.map((event) => event.key));
    for (const key of touched) if (this.index.get(key)?.compact(revision)) this.index.remove(key);
  }

  #emit(effect: MvccEffect): void {
    for (const listener of this.#listeners) listener(effect);
  }
}

/** The writes of one transaction; what it wrote so far is seen by whoever reads at its revision. */
export class WriteBatch {
  readonly written: KeyVersion[] = [];
  readonly #before: number;
  readonly #index: KeyIndex;
  readonly #record: (version: KeyVersion) => void;

  constructor(before: number, index: KeyIndex, record: (version: KeyVersion) => void) {
    this.#before = before;
    this.#index = index;
    this.#record = record;
  }

  /** The store's as this transaction sees it: one more once it has written. */
  get revision(): number {
    return this.written.length > 0 ? this.#before + 1 : this.#before;
  }

  latest(key: Bytes): KeyVersion | undefined {
    return this.#index.get(key)?.latest();
  }

  put(key: Bytes, value: Bytes, lease: string): void {
    const modRevision = this.#before + 1;
    const previous = this.latest(key);
    const createRevision = previous?.createRevision ?? modRevision;
    this.#write({ key, value, createRevision, modRevision, version: (previous?.version ?? 0) + 1, lease });
  }

  /** False where there is no such key, and nothing is written. */
  delete(key: Bytes): boolean {
    if (this.latest(key) === undefined) return false;
    this.#write({ key, value: "", createRevision: 0, modRevision: this.#before + 1, version: 0, lease: NO_LEASE });
    return true;
  }

  #write(version: KeyVersion): void {
    this.#record(version);
    this.written.push(version);
  }
}
