import type { Clock } from "../../ports/clock.ts";
import type { Meter } from "../../ports/meter.ts";
import type { LeaseId, Registry } from "../../ports/registry.ts";
import { measured } from "./measured.ts";

/** Calls that are one request and its answer; `watch` is neither. */
const OPERATIONS: Readonly<Partial<Record<keyof Registry, string>>> = {
  list: "list",
  txn: "txn",
  grantLease: "grant-lease",
  keepAlive: "keep-alive",
  revokeLease: "revoke-lease",
  describe: "describe",
};

/** The same registry, its requests measured, and with them what is left of a lease whenever it is renewed. */
export function meteredRegistry(registry: Registry, meter: Meter, clock: Clock): Registry {
  /** As its keeper counts: from when a renewal was sent. */
  const leases = new Map<LeaseId, { readonly ttlMs: number; readonly untilMs: number }>();
  const timed = measured(registry, OPERATIONS, clock, (operation, seconds, code) => {
    meter.observe("fleet_registry_request_seconds", seconds, { operation });
    if (code !== null) meter.count("fleet_registry_request_failures_total", { operation, code });
  });
  const own: Pick<Registry, "grantLease" | "keepAlive" | "revokeLease"> = {
    async grantLease(ttlMs) {
      const sentMs = clock.monotonicMs();
      const lease = await timed.grantLease(ttlMs);
      leases.set(lease, { ttlMs, untilMs: sentMs + ttlMs });
      return lease;
    },
    async keepAlive(lease) {
      const sentMs = clock.monotonicMs();
      const isAlive = await timed.keepAlive(lease);
      const known = leases.get(lease);
      if (known === undefined) return isAlive;
      const value = (known.untilMs - clock.monotonicMs()) / 1_000;
      meter.set({ name: "fleet_lease_slack_seconds", value: isAlive ? value : Math.min(0, value) });
      if (isAlive) leases.set(lease, { ...known, untilMs: sentMs + known.ttlMs });
      else leases.delete(lease);
      return isAlive;
    },
    revokeLease(lease) {
      leases.delete(lease);
      return timed.revokeLease(lease);
    },
  };
  return new Proxy(timed, {
    get: (target, name) => (name in own ? Reflect.get(own, name) : Reflect.get(target, name, target)),
  });
}
