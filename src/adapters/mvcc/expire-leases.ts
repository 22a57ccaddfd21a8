import type { Clock } from "../../ports/clock.ts";
import { LEASE_TTL_MIN_SECONDS } from "./lease-table.ts";
import type { MvccStore } from "./mvcc-store.ts";

/** An eighth of the shortest lease: an end comes at most that much late. etcd looks twice a second. */
const LEASE_CHECK_MS = 250;

/**
 * Ends leases whose time has come, until the signal aborts. A store needs one of these, with the clock its leases were
 * granted by; a test that moves time itself may call `store.expireLeases` instead.
 */
export async function expireLeases(store: MvccStore, clock: Clock, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    store.expireLeases(clock.monotonicMs());
    const dueMs = store.leases.firstDeadlineMs() - clock.monotonicMs();
    // None that is granted meanwhile can end sooner than the shortest there can be.
    await clock.sleep(Math.min(LEASE_TTL_MIN_SECONDS * 1_000, Math.max(LEASE_CHECK_MS, dueMs)), signal);
  }
}
