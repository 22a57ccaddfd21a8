import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  CLUSTER_METHODS,
  KV_METHODS,
  LEASE_METHODS,
  MAINTENANCE_METHODS,
  WATCH_METHODS,
} from "../etcd-proto/etcd-proto.ts";
import { expireLeases } from "../mvcc/expire-leases.ts";
import { systemClock } from "../system-clock.ts";
import { clusterService, maintenanceService } from "./cluster-services.ts";
import { isAlive, lockData } from "./data-lock.ts";
import { DurableStore } from "./durable-store.ts";
import { kvService } from "./kv-service.ts";
import { leaseService } from "./lease-service.ts";
import type { RegistryContext } from "./registry-context.ts";
import { watchService } from "./watch-service.ts";

/** etcd's: a request of at most 1.5 MiB and its overhead. */
const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

export interface EmbeddedRegistryOptions {
  /** Made with mode 0700 where it is missing. */
  readonly dataDir: string;
  /** `unix:/path` or `127.0.0.1:port`, `[::1]:port`, port 0 for any free one. At least one. */
  readonly listen: readonly string[];
  /** 0600 by default: its user alone. 0660 lets in the group this process runs with, too. */
  readonly socketMode?: 0o600 | 0o660;
  readonly clock?: Clock;
}

export interface EmbeddedRegistry {
  /** Where it listens, in the order asked for, with the ports it got. */
  readonly addresses: readonly string[];
  /** Stops taking calls, cuts those under way, and waits until what was answered is on the disk and the lock is free. */
  close(): Promise<void>;
}

/**
 * Serves etcd's v3 protocol, the part of it that fleet and `etcdctl` need, from one directory. Rejects with OperationError:
 * `registry-data-locked`, `registry-data-damaged`, `registry-data-foreign`, `registry-address-invalid`, `registry-address-taken`.
 */
export async function startEmbeddedRegistry(options: EmbeddedRegistryOptions): Promise<EmbeddedRegistry> {
  for (const address of options.listen) requireLocal(address);
  const clock = options.clock ?? systemClock;
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const unlock = await lockData(options.dataDir);
  const stop = new AbortController();
  const server = new Server({
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": -1,
  });
  let durable: DurableStore | undefined;
  const close = async () => {
    stop.abort();
    server.forceShutdown();
    await durable?.close();
    await unlock();
  };
  try {
    durable = await DurableStore.open(options.dataDir, clock.monotonicMs());
    const context: RegistryContext = { store: durable.store, durable, clock };
    const addresses: string[] = [];
    server.addService(KV_METHODS, { ...kvService(context) });
    server.addService(WATCH_METHODS, { ...watchService(context, stop.signal) });
    server.addService(LEASE_METHODS, { ...leaseService(context) });
    server.addService(MAINTENANCE_METHODS, { ...maintenanceService(context) });
    server.addService(CLUSTER_METHODS, { ...clusterService(context, addresses) });
    for (const address of options.listen) addresses.push(await bind(server, address, options.socketMode ?? 0o600));
    void expireLeases(durable.store, clock, stop.signal);
    return { addresses, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** It knows no users and no TLS: whoever reaches it may do anything, so only this machine may. */
function requireLocal(address: string): void {
  if (/^unix:\/.|^127\.\d+\.\d+\.\d+:\d+$|^\[::1\]:\d+$/.test(address)) return;
  throw new OperationError("registry-address-invalid", `the embedded registry cannot listen on ${address}`, {
    next: "use unix:/path, or a port of this machine as in 127.0.0.1:7420",
  });
}

async function bind(server: Server, address: string, socketMode: number): Promise<string> {
  const path = address.startsWith("unix:") ? address.slice("unix:".length) : undefined;
  if (path !== undefined) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (await isAlive(path)) throw taken(address);
    // A socket outlives a process that was killed.
    rmSync(path, { force: true });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(taken(address, error)),
    );
  });
  if (path === undefined) return address.replace(/\d+$/, String(port));
  chmodSync(path, socketMode);
  return address;
}

function taken(address: string, cause?: Error): OperationError {
  return new OperationError("registry-address-taken", `cannot listen on ${address}`, {
    ...(cause === undefined ? {} : { cause }),
    next: "stop what listens there, or choose another address",
  });
}
