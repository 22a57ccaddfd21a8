import { stat } from "node:fs/promises";
import type { EndpointFacts, StoreFacts } from "../../domain/doctor/registry-check-facts.ts";
import type { Clock } from "../../ports/clock.ts";
import type { RegistryProbes } from "../../ports/registry-probes.ts";
import { AUTH_METHODS, MAINTENANCE_METHODS } from "../etcd-proto/etcd-proto.ts";
import { certificatesOf } from "./etcd-certificates.ts";
import { EtcdConnection } from "./etcd-connection.ts";
import { isServiceError } from "./etcd-error.ts";
import { type EtcdMetrics, readMetrics } from "./etcd-metrics.ts";
import type { RegistryAddress } from "./registry-address.ts";
import type { TlsFiles } from "./tls-files.ts";

/** An etcd tells who asks for a user it does not have either that, or that it has no users at all. It asks nothing and changes nothing. */
const NOBODY = { name: "fleet-registry-check", password: "-" };

/** Looks at what is behind an address, each of its endpoints by a connection of its own. `close` ends them. */
export function etcdProbes(
  address: RegistryAddress,
  tls: TlsFiles,
  clock: Clock,
): RegistryProbes & { readonly close: () => void } {
  const endpoints = address.targets.map((target) => {
    const connection = new EtcdConnection({ ...address, targets: [target] }, clock, tls);
    const socket = /^unix:(.+)$/.exec(target)?.[1] ?? null;
    const name = socket ?? target.replace(/^dns:/, "");
    // Asked once for all who want to know.
    let metrics: Promise<EtcdMetrics | null> | null = null;
    const tell = () => {
      metrics ??= socket === null ? readMetrics(name, address.secure, tls) : Promise.resolve(null);
      return metrics;
    };
    return { connection, socket, name, metrics: tell };
  });
  return {
    endpoints: () => Promise.all(endpoints.map((one) => askEndpoint(one, clock))),
    async store() {
      const told = (await Promise.all(endpoints.map(({ metrics }) => metrics()))).find((one) => one !== null);
      const { date: _, ...facts } = told ?? NOT_TOLD;
      return facts;
    },
    async access() {
      const sockets = endpoints.flatMap(({ socket }) => (socket === null ? [] : [socket]));
      return {
        isLocal: endpoints.every(({ socket, name }) => socket !== null || isLoopback(name)),
        isSecure: address.secure,
        hasUsers: await hasUsers(endpoints.map(({ connection }) => connection)),
        socketMode: sockets[0] === undefined ? null : await modeOf(sockets[0]),
      };
    },
    certificates: () =>
      address.secure
        ? certificatesOf(
            endpoints.map(({ name }) => name),
            tls,
            clock.wallMs(),
          )
        : Promise.resolve([]),
    close: () => {
      for (const { connection } of endpoints) connection.close();
    },
  };
}

const NOT_TOLD: EtcdMetrics = {
  ...{ bytes: null, bytesInUse: null, quotaBytes: null, revision: null, compactedRevision: null },
  date: null,
} satisfies StoreFacts & EtcdMetrics;

async function askEndpoint(
  {
    connection,
    name,
    metrics,
  }: { connection: EtcdConnection; name: string; metrics: () => Promise<EtcdMetrics | null> },
  clock: Clock,
): Promise<EndpointFacts> {
  const [status, told] = await Promise.all([
    connection.unary(MAINTENANCE_METHODS.Status, {}).catch(whatWasSaid),
    metrics(),
  ]);
  const aheadMs = told?.date == null ? null : told.date - clock.wallMs();
  if (typeof status !== "string") {
    return { name, version: status.version, problem: null, isLearner: status.isLearner, aheadMs };
  }
  return { name, version: null, problem: status, isLearner: false, aheadMs };
}

function whatWasSaid(error: unknown): string {
  if (isServiceError(error)) return error.details;
  if (error instanceof Error) return error.message;
  throw error;
}

/** Null where nobody says: fleet's own registry has no users, and no such call. */
async function hasUsers(connections: readonly EtcdConnection[]): Promise<boolean | null> {
  const ask = (connection: EtcdConnection) =>
    connection.unary(AUTH_METHODS.Authenticate, NOBODY).then(() => "", whatWasSaid);
  const said = await Promise.all(connections.map(ask));
  if (said.some((text) => text.includes("authentication is not enabled"))) return false;
  return said.some((text) => text.includes("authentication failed")) ? true : null;
}

/** Null where there is none: then nothing listens, which is said elsewhere. */
async function modeOf(socket: string): Promise<number | null> {
  const found = await stat(socket).catch(() => null);
  return found === null ? null : found.mode & 0o777;
}

function isLoopback(name: string): boolean {
  return /^(127\.[\d.]+|localhost|\[::1\])(:\d+)?$/.test(name);
}
