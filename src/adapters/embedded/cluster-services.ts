import { headerAt, RAFT_TERM, type RegistryContext, type UnaryHandler, unary } from "./registry-context.ts";

/**
 * What we tell clients of etcd that we are: the oldest version whose clients and ours agree on everything served here, and
 * after the plus, which orders nothing, what we really are.
 */
export const SERVED_VERSION = "3.5.0+fleet";

export interface MaintenanceService {
  readonly Status: UnaryHandler<"StatusRequest", "StatusResponse">;
  readonly Alarm: UnaryHandler<"AlarmRequest", "AlarmResponse">;
}

/** Status, and (for `etcdctl endpoint health`) that there is no alarm. */
export function maintenanceService(context: RegistryContext): MaintenanceService {
  const { store, durable } = context;
  return {
    Status: unary(context, () => ({
      header: headerAt(context, store.revision),
      version: SERVED_VERSION,
      dbSize: String(durable.bytes),
      dbSizeInUse: String(durable.bytes),
      leader: durable.meta.memberId,
      raftIndex: String(store.revision),
      raftAppliedIndex: String(durable.durableRevision),
      raftTerm: RAFT_TERM,
    })),
    Alarm: unary(context, () => ({ header: headerAt(context, store.revision) })),
  };
}

export interface ClusterService {
  readonly MemberList: UnaryHandler<"MemberListRequest", "MemberListResponse">;
}

/** The one member there is, reached where it listens. */
export function clusterService(context: RegistryContext, addresses: readonly string[]): ClusterService {
  return {
    MemberList: unary(context, () => ({
      header: headerAt(context, context.store.revision),
      members: [{ ID: context.durable.meta.memberId, name: "embedded", clientURLs: addresses.map(urlOf) }],
    })),
  };
}

function urlOf(address: string): string {
  return address.startsWith("unix:") ? address : `http://${address}`;
}
