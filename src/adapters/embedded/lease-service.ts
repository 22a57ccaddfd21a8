import { randomBytes } from "node:crypto";
import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import type { EtcdMessages, Outgoing } from "../etcd-proto/etcd-messages.ts";
import { NO_LEASE } from "../mvcc/key-history.ts";
import type { MvccStore } from "../mvcc/mvcc-store.ts";
import { diskFailure, headerAt, type RegistryContext, type UnaryHandler, unary } from "./registry-context.ts";

export interface LeaseService {
  readonly LeaseGrant: UnaryHandler<"LeaseGrantRequest", "LeaseGrantResponse">;
  readonly LeaseRevoke: UnaryHandler<"LeaseRevokeRequest", "LeaseRevokeResponse">;
  readonly LeaseTimeToLive: UnaryHandler<"LeaseTimeToLiveRequest", "LeaseTimeToLiveResponse">;
  readonly LeaseLeases: UnaryHandler<"LeaseLeasesRequest", "LeaseLeasesResponse">;
  readonly LeaseKeepAlive: handleBidiStreamingCall<
    Outgoing<EtcdMessages["LeaseKeepAliveRequest"]>,
    Outgoing<EtcdMessages["LeaseKeepAliveResponse"]>
  >;
}

/** etcd's Lease service on the store. */
export function leaseService(context: RegistryContext): LeaseService {
  const { store, clock, durable } = context;
  return {
    LeaseGrant: unary(context, ({ ID, TTL }) => {
      const id = ID === NO_LEASE ? randomLeaseId(store) : ID;
      const granted = store.grantLease(id, Number(TTL), clock.monotonicMs());
      return { header: headerAt(context, store.revision), ID: id, TTL: String(granted) };
    }),
    LeaseRevoke: unary(context, ({ ID }) => {
      store.revokeLease(ID);
      return { header: headerAt(context, store.revision) };
    }),
    LeaseTimeToLive: unary(context, ({ ID, keys }) => {
      const header = headerAt(context, store.revision);
      const lease = store.leases.get(ID);
      if (lease === undefined) return { header, ID, TTL: "-1" };
      const leftMs = Math.max(0, lease.deadlineMs - clock.monotonicMs());
      return {
        header,
        ID,
        TTL: String(Math.floor(leftMs / 1000)),
        grantedTTL: String(lease.ttlSeconds),
        keys: keys ? [...lease.keys].sort().map((key) => Buffer.from(key, "latin1")) : [],
      };
    }),
    LeaseLeases: unary(context, () => ({
      header: headerAt(context, store.revision),
      leases: [...store.leases.all()].map(({ id }) => ({ ID: id })),
    })),
    LeaseKeepAlive: (call) => {
      call.on("data", ({ ID = NO_LEASE }: Outgoing<EtcdMessages["LeaseKeepAliveRequest"]>) => {
        // A lease that is gone is an answer, not an error: its TTL is 0.
        const lease = store.renewLease(ID, clock.monotonicMs());
        const response = { header: headerAt(context, store.revision), ID, TTL: String(lease?.ttlSeconds ?? 0) };
        durable.settled().then(
          () => call.write(response),
          (cause: Error) => call.emit("error", diskFailure(cause)),
        );
      });
      call.on("error", () => call.end());
      call.on("end", () => call.end());
    },
  };
}

/** Never one that was given out before, restarts included: whoever still renews an old lease must not hold a new one. */
function randomLeaseId(store: MvccStore): string {
  for (;;) {
    const id = String(randomBytes(8).readBigUInt64LE() >> 1n);
    if (id !== NO_LEASE && store.leases.get(id) === undefined) return id;
  }
}
