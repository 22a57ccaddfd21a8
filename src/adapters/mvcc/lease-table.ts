import type { Bytes } from "./byte-range.ts";
import { NO_LEASE } from "./key-history.ts";
import { MvccError } from "./mvcc-error.ts";

/** etcd's minimum with its default election timeout of 1 s: a lease outlives one election. */
export const LEASE_TTL_MIN_SECONDS = 2;
/** etcd's maximum. */
const LEASE_TTL_MAX_SECONDS = 9_000_000_000;

export interface Lease {
  readonly id: string;
  readonly ttlSeconds: number;
  deadlineMs: number;
  readonly keys: Set<Bytes>;
}

/** Which leases there are, until when, and which keys they take along. Ids are decimal text; time is the caller's clock. */
export class LeaseTable {
  readonly #leases = new Map<string, Lease>();

  get(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  all(): Iterable<Lease> {
    return this.#leases.values();
  }

  /** The TTL a lease of this id would have. Throws MvccError where there can be none. */
  checkGrant(id: string, ttlSeconds: number): number {
    if (id === NO_LEASE) throw new MvccError("lease-not-found");
    if (ttlSeconds > LEASE_TTL_MAX_SECONDS) throw new MvccError("lease-ttl-too-large");
    if (this.#leases.has(id)) throw new MvccError("lease-exists");
    return Math.max(LEASE_TTL_MIN_SECONDS, ttlSeconds);
  }

  add(id: string, ttlSeconds: number, nowMs: number): void {
    this.#leases.set(id, { id, ttlSeconds, deadlineMs: nowMs + ttlSeconds * 1000, keys: new Set() });
  }

  remove(id: string): void {
    this.#leases.delete(id);
  }

  /** Those whose time has come, the longest overdue first. */
  expired(nowMs: number): readonly Lease[] {
    const due = [...this.#leases.values()].filter((lease) => lease.deadlineMs <= nowMs);
    return due.sort((a, b) => a.deadlineMs - b.deadlineMs);
  }

  /** When the first of them is due; infinity where there is none. */
  firstDeadlineMs(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#leases.values()) first = Math.min(first, deadlineMs);
    return first;
  }

  attach(id: string, key: Bytes): void {
    this.#leases.get(id)?.keys.add(key);
  }

  detach(id: string, key: Bytes): void {
    this.#leases.get(id)?.keys.delete(key);
  }
}
