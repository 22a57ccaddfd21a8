import type { Log } from "../../ports/log.ts";
import type { Registry } from "../../ports/registry.ts";
import { serviceErrorOf, tooMany } from "./front-error.ts";
import { type FrontPeer, headerOf, type PeerLoad, type StreamHandler, type UnaryHandler, unary } from "./front-peer.ts";
import type { LeaseBook } from "./lease-book.ts";
import type { RootMirror } from "./root-mirror.ts";

/** etcd's own least. */
const TTL_SECONDS_MIN = 2;
/** Longer than any lease of fleet (a manifest's `agentTtl` is minutes at most): one that is forgotten must end. */
const TTL_SECONDS_MAX = 3_600;
/** Waiting for an answer on one stream. */
const KEEP_ALIVES_MAX = 32;

export interface LeaseParts {
  readonly registry: Registry;
  readonly mirror: RootMirror;
  readonly leases: LeaseBook;
  readonly log: Log;
}

export interface FrontLeases {
  readonly LeaseGrant: UnaryHandler<"LeaseGrantRequest", "LeaseGrantResponse">;
  readonly LeaseRevoke: UnaryHandler<"LeaseRevokeRequest", "LeaseRevokeResponse">;
  readonly LeaseKeepAlive: StreamHandler<"LeaseKeepAliveRequest", "LeaseKeepAliveResponse">;
}

/** etcd's Lease service for one peer, of its own leases alone. */
export function frontLeases(
  { registry, mirror, leases, log }: LeaseParts,
  peer: FrontPeer,
  load: PeerLoad,
): FrontLeases {
  const keepAlive = async (ID: string) => {
    const isThere = (await leases.isOwn(ID, peer)) && (await registry.keepAlive(ID));
    if (!isThere) leases.ended(ID);
    // Of one that another engine granted its time is not known here: who asks looks whether it is 0.
    const seconds = isThere ? leases.renewed(ID) / 1_000 || TTL_SECONDS_MIN : 0;
    return { header: headerOf(mirror, mirror.store?.revision ?? 0), ID, TTL: String(seconds) };
  };
  return {
    LeaseGrant: unary(load, log, async ({ TTL }) => {
      leases.requireRoom(peer);
      const ttlMs = Math.min(TTL_SECONDS_MAX, Math.max(TTL_SECONDS_MIN, Number(TTL))) * 1_000;
      const ID = await registry.grantLease(ttlMs);
      leases.granted(ID, peer, ttlMs);
      return { header: headerOf(mirror, mirror.store?.revision ?? 0), ID, TTL: String(ttlMs / 1_000) };
    }),
    LeaseRevoke: unary(load, log, async ({ ID }) => {
      await leases.requireOwn(ID, peer);
      await registry.revokeLease(ID);
      leases.ended(ID);
      return { header: headerOf(mirror, mirror.store?.revision ?? 0) };
    }),
    LeaseKeepAlive: (call) => {
      let waiting = 0;
      const refuse = (error: unknown) => call.emit("error", serviceErrorOf(error, log));
      call.on("data", ({ ID = "0" }) => {
        if (waiting >= KEEP_ALIVES_MAX) return void refuse(tooMany());
        waiting += 1;
        keepAlive(ID)
          .then((response) => void call.write(response), refuse)
          .finally(() => {
            waiting -= 1;
          });
      });
      call.on("error", () => call.end());
      call.on("end", () => call.end());
    },
  };
}
