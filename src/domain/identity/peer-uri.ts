import { parseMachineId } from "../names.ts";
import type { PeerClaim, PeerRole } from "./judge-peer.ts";

/** Where a cluster's id would stand: of a machine that has joined none. No cluster is called so: their ids are random digits. */
const NO_CLUSTER = "none";
const CLUSTER_ID = /^[A-Za-z0-9-]{1,64}$/;
const ROLES: readonly string[] = ["machine", "engine"] satisfies readonly PeerRole[];

/** Who a certificate's owner says it is, as its one alternative name: `fleet:<cluster id>:<machine|engine>:<machine id>`. */
export function peerUri({ clusterId, role, machine }: PeerClaim): string {
  return `fleet:${clusterId ?? NO_CLUSTER}:${role}:${machine}`;
}

/** The claim in such a text, or null where it is none. */
export function parsePeerUri(text: string): PeerClaim | null {
  const [scheme, clusterId = "", role = "", id = "", ...rest] = text.split(":");
  const machine = parseMachineId(id);
  if (scheme !== "fleet" || rest.length > 0 || machine === null) return null;
  if (!CLUSTER_ID.test(clusterId) || !ROLES.includes(role)) return null;
  return { clusterId: clusterId === NO_CLUSTER ? null : clusterId, role: role as PeerRole, machine };
}
